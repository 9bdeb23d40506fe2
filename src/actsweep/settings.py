"""Every setting of a study, checked when it is constructed. Importing this module loads neither torch nor Ray.

Defaults are not here but in `conf/`: a setting that no configuration file names is an error, never a silent default.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from actsweep.activations import ACTIVATIONS
from actsweep.errors import RequestError

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"


def known_are(known: Sequence[str], word: str) -> str:
    """The accepted words, with a hint at the one nearest to `word`, for a message."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"known are {', '.join(known)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; {known_are(sorted(ACTIVATIONS), name)}")
    return name


def _plain_name(name: str) -> str:
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(
            f"{name!r} is no plain name: letters, digits, '.', '_' and '-', at most 100, the first a letter or digit"
        )
    return name


PlainName = Annotated[str, AfterValidator(_plain_name)]
PositiveInt = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Base of all settings: immutable, no conversions of type, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=Settings)


class RunSettings(Settings):
    """Where a study's folder is: `root/name`."""

    name: PlainName
    root: str = Field(min_length=1)


class ModelSettings(Settings):
    """The network: `depth` 3x3 convolutions over three stages of widths w, 2w and 4w."""

    name: Literal["cnn"]
    activation: Annotated[str, AfterValidator(_known_activation)]
    depth: int = Field(ge=1, le=100)
    width: int = Field(ge=1, le=4096)
    init: Literal["torch_default", "xavier", "he", "matched"]
    norm: Literal["none", "batch", "group"]
    dropout: float = Field(ge=0, lt=1)


class OptimizerSettings(Settings):
    """The optimizer; `momentum` is Adam's and AdamW's first beta."""

    name: Literal["adam", "adamw", "sgd"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(ge=0, lt=1)


class DataSettings(Settings):
    """The data set and its splits; a size of null is the one that the data set suggests."""

    name: Literal["digits", "image_folder"]
    root: str | None
    train: PositiveInt | None
    val: PositiveInt | None
    test: PositiveInt | None
    batch_size: PositiveInt
    augment: bool
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _root_is_given(self) -> Self:
        if self.name == "image_folder" and not self.root:
            raise ValueError(
                "data.root is needed: the folder that holds train/ and test/, each with one folder a class"
            )
        return self


class TrainerSettings(Settings):
    """How a trial is trained, on what, and how often it is evaluated."""

    accelerator: Literal["cpu", "gpu"]
    epochs: PositiveInt
    precision: Literal["fp32", "bf16"]
    threads: PositiveInt
    eval_every: PositiveInt

    @model_validator(mode="after")
    def _last_epoch_is_evaluated(self) -> Self:
        if self.epochs % self.eval_every:
            raise ValueError(
                f"trainer.eval_every={self.eval_every} does not divide trainer.epochs={self.epochs}, "
                "so the last epoch would not be evaluated"
            )
        return self


class TrialConfig(Settings):
    """All that one trial needs to know."""

    model: ModelSettings
    optimizer: OptimizerSettings
    data: DataSettings
    trainer: TrainerSettings
    seed: int = Field(ge=0, lt=2**63)


class TuneSettings(Settings):
    """The tune phase: `blocks` independent searches of `points` trials per cell."""

    blocks: PositiveInt
    points: PositiveInt


class ReplicateSettings(Settings):
    """The replicate phase: fresh seeds per block, at the block's best nuisance values."""

    seeds: PositiveInt


class TargetSettings(Settings):
    """Validation accuracies to reach; null = derived from the replicates."""

    hi: Share | None
    lo: Share | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.hi is not None and self.lo is not None and self.lo > self.hi:
            raise ValueError(f"study.target.lo={self.lo} is above study.target.hi={self.hi}")
        return self


class StudySettings(Settings):
    """What is asked (scientific), what is tuned to make it fair (nuisance), and how often."""

    scientific: dict[str, Any]
    nuisance: dict[str, Any]
    factor: str | None
    reference: str | int | float | bool | None
    tune: TuneSettings
    replicate: ReplicateSettings
    target: TargetSettings
    measure_cost: bool
    max_trials: PositiveInt
    seed: int = Field(ge=0)


class SearchSettings(Settings):
    """How nuisance points are proposed."""

    name: Literal["sobol", "random"]


class SchedulerSettings(Settings):
    """Whether tune trials may be stopped early."""

    name: Literal["none"]


class ResourceSettings(Settings):
    """What one trial asks of the cluster."""

    cpu: float = Field(gt=0)
    gpu: float = Field(ge=0)


class ClusterSettings(Settings):
    """Where trials run."""

    name: Literal["local", "ray"]
    address: str | None
    max_concurrent: PositiveInt | None
    storage: str | None
    resources: ResourceSettings

    @model_validator(mode="after")
    def _address_is_given(self) -> Self:
        if self.name == "ray" and not self.address:
            raise ValueError("cluster.address is needed with cluster=ray: an address such as 10.0.0.5:6379, or auto")
        return self


class TrackerSettings(Settings):
    """Where runs are mirrored for review."""

    name: Literal["none", "wandb_offline", "wandb_online"]
    project: str = Field(min_length=1, max_length=128)
    entity: str | None


class StudyConfig(Settings):
    """A whole study, as composed from `conf/` and the command line."""

    run: RunSettings
    study: StudySettings
    search: SearchSettings
    scheduler: SchedulerSettings
    model: ModelSettings
    optimizer: OptimizerSettings
    data: DataSettings
    trainer: TrainerSettings
    cluster: ClusterSettings
    tracker: TrackerSettings
    seed: int = Field(ge=0, lt=2**63)

    def trial(self, changes: dict[str, Any], seed: int) -> TrialConfig:
        """The configuration of one trial of this study.

        Args:
            changes: values by dotted path, such as `{"optimizer.lr": 0.01}`, that replace the study's own.
            seed: the trial's seed.

        Raises:
            RequestError: a path does not exist, or a value is not accepted there.
        """
        tree = self.model_dump(include={"model", "optimizer", "data", "trainer"})
        for path, value in changes.items():
            _replace(tree, path, value)
        return validated(TrialConfig, {**tree, "seed": seed})


def _replace(tree: dict[str, Any], path: str, value: object) -> None:
    *parents, leaf = path.split(".")
    node: Any = tree
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    if not isinstance(node, dict) or leaf not in node or isinstance(node[leaf], dict):
        known = sorted(f"{group}.{key}" for group, keys in tree.items() for key in keys)
        raise RequestError(f"cannot sweep {path!r}: no such setting; {known_are(known, path)}")
    node[leaf] = value


def validated(kind: type[AnySettings], tree: object) -> AnySettings:
    """Construct settings, with all that is wrong in one message.

    Raises:
        RequestError: a key is unknown or missing, or a value is not accepted; the message names each by its path.
    """
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise RequestError("\n".join(_describe(kind, item) for item in error.errors())) from error


def _describe(kind: type[Settings], item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = fields_at(kind, item["loc"][:-1])
        return f"{path}: no such setting; {known_are(known, str(item['loc'][-1]))}"
    if item["type"] == "missing":
        return f"{path}: missing"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "literal_error":
        expected = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        message = f"{item['input']!r} is not accepted; {known_are(expected, str(item['input']))}"
    elif item["type"] != "value_error":
        message = message.replace("Input should be", "should be") + f", not {item['input']!r}"
    return f"{path}: {message}" if path and not message.startswith(f"{path}.") else message


def fields_at(kind: type[Settings], location: Sequence[Any]) -> list[str]:
    """The names of the settings at a place in the tree; empty where the place holds no settings of ours."""
    for part in location:
        inner = kind.model_fields[part].annotation if part in kind.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, Settings)):
            return []
        kind = inner
    return sorted(kind.model_fields)
