"""Settings that a trial's result depends on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from actsweep.plugins import DATA_SETS, MODELS, OPTIMIZERS
from actsweep.settings.base import OneLine, PositiveInt, Settings
from actsweep.settings.names import (
    ActivationName,
    DataName,
    ModelName,
    OptimizerName,
    Options,
    PluginOptions,
    WithPlugins,
    own_options,
)
from actsweep.system.remote import check_address, is_remote

MOST_IMAGES = 10**9  # in a batch
MOST_EPOCHS = 10**6
MOST_THREADS = 1024


class ModelSettings(Settings):
    """The network: `depth` 3x3 convolutions over three stages of widths w, 2w and 4w, or that of a plugin.

    Attributes:
        options: what a plugin's model wants to be told beside the others; empty for `cnn`.
    """

    name: ModelName
    activation: ActivationName
    depth: int = Field(ge=1, le=100)
    width: int = Field(ge=1, le=4096)
    init: Literal["torch_default", "xavier", "he", "matched"]
    norm: Literal["none", "batch", "group"]
    dropout: float = Field(ge=0, lt=1)
    options: PluginOptions = Field(default_factory=Options)

    @model_validator(mode="after")
    def _options_are_of_plugins(self) -> Self:
        own_options("model", self.name, self.options, MODELS)
        return self


class OptimizerSettings(Settings):
    """The optimizer, and the course that its learning rate takes.

    Attributes:
        lr: the learning rate; with a schedule, the largest.
        momentum: of SGD; with Adam and AdamW it is their first beta.
        nesterov: whether SGD's momentum is Nesterov's.
        schedule: the course of the learning rate, counted from the first step to the last.
        step_epochs: epochs after which the learning rate is multiplied by `gamma`, again and again; of `step` only.
        gamma: see `step_epochs`; of `step` only.
        warmup: epochs over which the learning rate rises, as a fraction of them too; 0 = none (with `one_cycle`: three
            tenths of the training).
        clip: the largest Euclidean norm of the gradient over all parameters; null = any.
        label_smoothing: share of the training target that is spread evenly over the classes; evaluations have none.
    """

    name: OptimizerName
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(ge=0, lt=1)
    nesterov: bool
    schedule: Literal["none", "cosine", "one_cycle", "step"]
    step_epochs: PositiveInt | None
    gamma: float | None = Field(gt=0, lt=1)
    warmup: float = Field(ge=0)
    clip: float | None = Field(gt=0)
    label_smoothing: float = Field(ge=0, lt=1)
    options: PluginOptions = Field(default_factory=Options)

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and not (self.name == "sgd" and self.momentum > 0):
            raise ValueError(
                "optimizer.nesterov=true is a kind of momentum of SGD: it needs optimizer=sgd and optimizer.momentum "
                f"above 0, not optimizer.name={self.name} with optimizer.momentum={self.momentum:g}"
            )
        return self

    @model_validator(mode="after")
    def _steps_are_of_step(self) -> Self:
        for setting in ("step_epochs", "gamma"):
            if (self.schedule == "step") != (getattr(self, setting) is not None):
                raise ValueError(
                    f"optimizer.{setting} is a setting of optimizer.schedule=step, which needs it, and of no other "
                    f"schedule (null with optimizer.schedule={self.schedule}); "
                    "an example: optimizer.schedule=step optimizer.step_epochs=10 optimizer.gamma=0.1"
                )
        return self

    @model_validator(mode="after")
    def _options_are_of_plugins(self) -> Self:
        own_options("optimizer", self.name, self.options, OPTIMIZERS)
        return self


class DataSettings(Settings):
    """The data set and its splits; a size of null is the one that the data set suggests.

    Attributes:
        options: what a plugin's data set wants to be told beside the others; empty for the package's own.
    """

    name: DataName
    root: OneLine | None
    train: PositiveInt | None
    val: PositiveInt | None
    test: PositiveInt | None
    batch_size: int = Field(gt=0, le=MOST_IMAGES)
    augment: bool
    seed: int = Field(ge=0, lt=2**63)
    options: PluginOptions = Field(default_factory=Options)

    @model_validator(mode="after")
    def _options_are_of_plugins(self) -> Self:
        own_options("data", self.name, self.options, DATA_SETS)
        return self

    @model_validator(mode="after")
    def _root_is_given(self) -> Self:
        if self.name == "image_folder" and not self.root:
            raise ValueError(
                "data.root is needed: the folder that holds train/ and test/, each with one folder a class"
            )
        if is_remote(self.root):
            check_address("data.root", str(self.root))
            if self.name == "cifar10":
                raise ValueError(
                    f"data.root={self.root}: data=cifar10 takes files of this machine, or downloads them; images at an "
                    "address are for data=image_folder"
                )
        if self.name == "digits" and self.root:
            raise ValueError(
                f"data.root={self.root} would have no effect: the digits need no files; "
                "choose data=image_folder or data=cifar10 for what is there, or leave it null"
            )
        return self


class TrainerSettings(Settings):
    """How a trial is trained, on what, and how often it is evaluated.

    Attributes:
        cuda_graph: whether training steps on a GPU are replayed as CUDA graphs, where they can be.
        trial_timeout: seconds of wall time after which a trial fails, those of earlier attempts included; null = none.
    """

    accelerator: Literal["cpu", "gpu"]
    epochs: int = Field(gt=0, le=MOST_EPOCHS)
    precision: Literal["fp32", "bf16"]
    threads: int = Field(gt=0, le=MOST_THREADS)
    eval_every: PositiveInt
    cuda_graph: bool
    trial_timeout: float | None = Field(gt=0)

    @model_validator(mode="after")
    def _graphs_are_of_a_gpu(self) -> Self:
        if self.cuda_graph and self.accelerator != "gpu":
            raise ValueError("trainer.cuda_graph=true needs trainer=gpu: only a GPU's steps can be replayed as a graph")
        return self

    @model_validator(mode="after")
    def _last_epoch_is_evaluated(self) -> Self:
        if self.epochs % self.eval_every:
            raise ValueError(
                f"trainer.eval_every={self.eval_every} does not divide trainer.epochs={self.epochs}, "
                "so the last epoch would not be evaluated"
            )
        return self


class TrialConfig(WithPlugins):
    """All that one trial needs to know."""

    model: ModelSettings
    optimizer: OptimizerSettings
    data: DataSettings
    trainer: TrainerSettings
    seed: int = Field(ge=0, lt=2**63)

    @model_validator(mode="after")
    def _schedule_fits_in(self) -> Self:
        for setting in ("warmup", "step_epochs"):
            length = getattr(self.optimizer, setting)
            if length is not None and length >= self.trainer.epochs:
                raise ValueError(
                    f"optimizer.{setting}={length:g} is not below trainer.epochs={self.trainer.epochs}: "
                    "the schedule must come to its point before the training ends"
                )
        return self
