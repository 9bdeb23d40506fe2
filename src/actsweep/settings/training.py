"""Settings that a trial's result depends on."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from actsweep.activations import ACTIVATIONS
from actsweep.settings.base import PositiveInt, Settings, known_are


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; {known_are(sorted(ACTIVATIONS), name)}")
    return name


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
