"""One epoch of training steps: all that is done to a module between two evaluations."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial

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
        optimizer.step(partial(_gradients, module, optimizer, batch, steps, precision))  # type: ignore[arg-type]
        if schedule is not None:
            schedule.step()
        steps += 1
        if should_stop():
            break
    return steps


def _gradients(
    module: Classifier,
    optimizer: Optimizer,
    batch: tuple[Tensor, Tensor],
    number: int,
    precision: Callable[[], AbstractContextManager[object]],
) -> Tensor:
    """A forward and a backward pass, which leave the gradients of a batch; the loss."""
    with torch.enable_grad():
        with precision():
            loss = module.training_step(batch, number)
        optimizer.zero_grad()
        loss.backward()
    module.configure_gradient_clipping(optimizer)
    return loss
