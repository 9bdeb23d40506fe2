"""One epoch of training steps: all that is done to a module between two evaluations."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actsweep.model import Classifier


def train_epoch(
    module: Classifier,
    optimizer: Optimizer,
    schedule: LRScheduler | None,
    batches: Iterable[tuple[Tensor, Tensor]],
    precision: Callable[[], AbstractContextManager[object]],
    should_stop: Callable[[], bool],
) -> int:
    """Take a training step on each batch, in the order in which Lightning's automatic optimization does its parts.

    Nothing here waits for a device.

    Args:
        module: in train mode.
        optimizer: over its parameters; may call the closure as often as it likes.
        schedule: stepped after each training step.
        batches: images (n, channels, height, width) and labels (n,), on the module's device.
        precision: the context of a forward pass.
        should_stop: asked after each step.

    Returns:
        how many steps were taken.
    """
    steps = 0
    for batch in batches:
        optimizer.step(_Closure(module, optimizer, batch, steps, precision))  # type: ignore[arg-type]  # a tensor
        if schedule is not None:
            schedule.step()
        steps += 1
        if should_stop():
            break
    return steps


class _Closure:
    """A forward and a backward pass, which leave the gradients of one batch."""

    def __init__(
        self,
        module: Classifier,
        optimizer: Optimizer,
        batch: tuple[Tensor, Tensor],
        number: int,
        precision: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._module = module
        self._optimizer = optimizer
        self._batch = batch
        self._number = number
        self._precision = precision

    def __call__(self) -> Tensor:
        """The loss."""
        with torch.enable_grad():
            with self._precision():
                loss = self._module.training_step(self._batch, self._number)
            self._optimizer.zero_grad()
            loss.backward()
        self._module.configure_gradient_clipping(self._optimizer)
        return loss
