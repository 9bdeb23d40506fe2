"""The classifier: 3x3 convolutions in three stages, as a LightningModule that is complete in itself."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actsweep.errors import DataError
from actsweep.model.activation import build_activation
from actsweep.model.init import init_network
from actsweep.model.length import training_length
from actsweep.model.optimizers import build_optimizer
from actsweep.model.plugin import plugin_network
from actsweep.model.schedules import build_schedule
from actsweep.settings import ModelSettings, OptimizerSettings
from actsweep.study.architecture import SMALLEST_IMAGE, features, stages

Batch = tuple[Tensor, Tensor]


class Classifier(pl.LightningModule):
    """A convolutional classifier, or another network of a plugin, and all that its training needs.

    The network `cnn`: three stages of widths w, 2w and 4w, each ending in 2x2 max-pooling; in them `depth` convolutions
    of 3x3 (padding 1), spread as evenly as possible, earlier stages first, each followed by its norm, if any, and the
    activation; then flatten, dropout and a linear layer. Group norm takes the most groups, at most 32, that divide
    the channels and have at least 4 of them each, else one group.

    All randomness (initial weights, dropout) comes from torch's global generator, and optimizer, schedule and clipping
    are the module's own, so any Trainer trains it alike. A training step never waits for a device.

    Args:
        model: the architecture, such as `actsweep.compose("model.activation=tanh").model`. A mapping will do that holds
            all of these settings, as a checkpoint's does: there are no defaults here, they are those of `conf/`.
        optimizer: the optimizer; likewise.
        image_shape: channels (1 or 3), height and width (at least 8) of the images.
        classes: number of classes, at least 2.

    Raises:
        DataError: images of this shape, or that few classes, cannot be classified.
        pydantic.ValidationError: a mapping lacks a setting, or holds one that is not valid.
    """

    def __init__(
        self,
        model: ModelSettings | Mapping[str, Any],
        optimizer: OptimizerSettings | Mapping[str, Any],
        image_shape: tuple[int, int, int],
        classes: int,
    ) -> None:
        super().__init__()
        self.architecture = ModelSettings.model_validate(model)
        self._optimizer_settings = OptimizerSettings.model_validate(optimizer)
        # Plain values only: a checkpoint must load without unpickling any class of ours.
        hparams = {
            "model": self.architecture.model_dump(),
            "optimizer": self._optimizer_settings.model_dump(),
            "image_shape": tuple(image_shape),
            "classes": classes,
        }
        self.save_hyperparameters(hparams)
        self.network = _build_network(self.architecture, image_shape, classes)
        # With this layout a step on a CPU takes a sixth to a third less time, and a GPU needs it for half precision.
        self.network.to(memory_format=torch.channels_last)

    @property
    def activations(self) -> Sequence[nn.Module]:
        """The activation modules, one per hidden layer, from the input to the output.

        Of a plugin's network they are what its own `activations` holds, and none where it has no such attribute.
        """
        if self.architecture.name == "cnn":
            return [layer for name, layer in self.network.named_children() if name.startswith("activation")]
        named: Sequence[nn.Module] = getattr(self.network, "activations", ())
        return named

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of float images (n, channels, height, width)."""
        logits: Tensor = self.network(images)
        return logits

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy, in nats, of a batch of float images (n, c, h, w) and int64 labels (n,).

        The labels are smoothed by `optimizer.label_smoothing`; no other loss in the package is. This is all that a loop
        without a Trainer needs of a step's forward pass: nothing is logged.
        """
        images, labels = batch
        smoothing = self._optimizer_settings.label_smoothing
        return functional.cross_entropy(self(images), labels, label_smoothing=smoothing)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The batch's `loss`; log its mean over the images of an epoch (`train_loss`)."""
        loss = self.loss(batch)
        self._log_means({"train_loss": loss}, len(batch[1]))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the means over images of the cross-entropy (`val_loss`) and of the accuracy (`val_acc`, 0 to 1)."""
        self._log_evaluation("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """The same as `test_loss` and `test_acc`."""
        self._log_evaluation("test", batch)

    def predict_step(self, batch: Batch | Tensor, batch_idx: int) -> Tensor:
        """Logits (n, classes) of a batch, which may be of images alone."""
        images = batch if isinstance(batch, Tensor) else batch[0]
        logits: Tensor = self(images)
        return logits

    def _log_evaluation(self, split: str, batch: Batch) -> None:
        images, labels = batch
        logits = self(images)
        metrics = {
            f"{split}_loss": functional.cross_entropy(logits, labels),
            f"{split}_acc": (logits.argmax(dim=1) == labels).float().mean(),
        }
        self._log_means(metrics, len(labels))

    def _log_means(self, metrics: dict[str, Tensor], images: int) -> None:
        """Log means over all images of an epoch, of all processes; until its end no step waits for a device."""
        self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=images, sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer over all parameters, with its schedule where the learning rate changes.

        A schedule is as long as the Trainer's own training, and counts the optimizer's steps.

        Raises:
            RequestError: the schedule needs a length of training, or of an epoch, that the Trainer does not know.
        """
        settings = self._optimizer_settings
        if settings.schedule == "none" and not settings.warmup:
            return build_optimizer(settings, self.parameters())
        optimizer, schedule = self.optimizer_and_schedule(*training_length(settings, self.trainer))
        if schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def optimizer_and_schedule(self, steps: int, steps_per_epoch: int) -> tuple[Optimizer, LRScheduler | None]:
        """The same for a loop without a Trainer, which steps the schedule, if there is one, after each training step.

        Args:
            steps: of the whole training.
            steps_per_epoch: of them.
        """
        optimizer = build_optimizer(self._optimizer_settings, self.parameters())
        return optimizer, build_schedule(
            self._optimizer_settings, optimizer, steps=steps, steps_per_epoch=steps_per_epoch
        )

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Scale the gradient down to a norm of `optimizer.clip`; without that setting, what the Trainer asks for."""
        if self._optimizer_settings.clip is not None:
            clip_grad_norm_(self.parameters(), self._optimizer_settings.clip)
        elif gradient_clip_val:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)


def _build_network(settings: ModelSettings, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    if settings.name != "cnn":
        return plugin_network(settings, image_shape, classes)
    _check_task(image_shape, classes)
    network = _cnn(settings, image_shape, classes)
    init_network(network, settings.init, settings.activation)
    return network


def _check_task(image_shape: tuple[int, int, int], classes: int) -> None:
    channels, height, width = image_shape
    if channels not in (1, 3) or min(height, width) < SMALLEST_IMAGE:
        raise DataError(
            f"images of {channels} channels and {height} x {width} pixels cannot be classified by model=cnn: "
            f"it takes 1 or 3 channels and at least {SMALLEST_IMAGE} x {SMALLEST_IMAGE} pixels"
        )
    if classes < 2:
        raise DataError(f"data of {classes} classes cannot be classified: at least 2 are needed")


def _cnn(settings: ModelSettings, image_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    index = 0
    for stage, convolutions in enumerate(stages(settings, image_shape[0]), start=1):
        for inputs, outputs in convolutions:
            index += 1
            # The bias stays before a norm too, so that every norm starts from the same random draws.
            layers[f"conv{index}"] = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
            if settings.norm != "none":
                layers[f"norm{index}"] = _norm(settings.norm, outputs)
            layers[f"activation{index}"] = build_activation(settings.activation)
        layers[f"pool{stage}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["dropout"] = nn.Dropout(settings.dropout)
    layers["linear"] = nn.Linear(features(settings, image_shape), classes)
    return nn.Sequential(layers)


def _norm(name: str, channels: int) -> nn.Module:
    if name == "batch":
        return nn.BatchNorm2d(channels)
    most = max(1, min(32, channels // 4))
    groups = next(count for count in range(most, 0, -1) if channels % count == 0)
    return nn.GroupNorm(groups, channels)
