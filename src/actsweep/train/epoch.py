"""One epoch of training steps: all that is done to a module between two evaluations."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actsweep.model import Classifier

Batch = tuple[Tensor, Tensor]
Step = Callable[[Batch], None]


def train_epoch(
    step: Step, schedule: LRScheduler | None, batches: Iterable[Batch], should_stop: Callable[[], bool]
) -> int:
    """Take a training step on each batch, in the order in which Lightning's automatic optimization does its parts.

    Nothing here waits for a device.

    Args:
        step: takes a step on a batch; see `training_step`.
        schedule: stepped after each training step.
        batches: images (n, channels, height, width) and labels (n,), on the module's device.
        should_stop: asked after each step.

    Returns:
        how many steps were taken.
    """
    steps = 0
    for batch in batches:
        step(batch)
        if schedule is not None:
            schedule.step()
        steps += 1
        if should_stop():
            break
    return steps


def training_step(
    module: Classifier, optimizer: Optimizer, precision: Callable[[], AbstractContextManager[object]]
) -> Step:
    """What takes one training step.

    Args:
        module: in train mode.
        optimizer: over its parameters; may call the closure as often as it likes.
        precision: the context of a forward pass.
    """

    def gradients(batch: Batch) -> Tensor:
        with torch.enable_grad():
            with precision():
                loss = module.loss(batch)
            optimizer.zero_grad()
            loss.backward()
        module.configure_gradient_clipping(optimizer)
        return loss

    def step(batch: Batch) -> None:
        optimizer.step(partial(gradients, batch))  # type: ignore[arg-type]

    return step
