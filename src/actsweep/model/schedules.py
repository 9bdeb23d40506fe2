"""The course of the learning rate, one value a training step."""

from collections.abc import Callable, Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingLR, LinearLR, LRScheduler, OneCycleLR, StepLR

from actsweep.settings import OptimizerSettings

RISE = 0.3  # share of a cycle, where no warm-up says how long the learning rate rises


def build_schedule(
    settings: OptimizerSettings, optimizer: Optimizer, *, steps: int, steps_per_epoch: int
) -> LRScheduler | None:
    """A scheduler to be stepped after each training step; None where the learning rate never changes.

    The warm-up multiplies the schedule: over w steps its factor is 1/w, 2/w, ..., 1, while the schedule underneath
    counts from the first step of the training. With `one_cycle` the warm-up is the cycle's own rise instead, from a
    25th of the learning rate along half a cosine.

    Args:
        settings: the optimizer's.
        optimizer: whose learning rate it is, not yet stepped.
        steps: of the whole training, at least 1.
        steps_per_epoch: at least 1.
    """
    warmup = round(settings.warmup * steps_per_epoch)
    if settings.schedule == "one_cycle":
        return _one_cycle(settings, optimizer, warmup, steps)
    parts: list[LRScheduler] = []
    if warmup > 1:
        parts.append(LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1))
    if settings.schedule != "none":
        parts.append(_SCHEDULES[settings.schedule](settings, optimizer, steps, steps_per_epoch))
    if len(parts) > 1:
        return ChainedScheduler(parts, optimizer)
    return parts[0] if parts else None


def _one_cycle(settings: OptimizerSettings, optimizer: Optimizer, warmup: int, steps: int) -> LRScheduler:
    rise = min(warmup or RISE * steps, steps - 1)
    share = rise / steps if rise >= 2 else 0.0  # a rise of fewer steps would have no first and last one
    # The momentum stays the one that was set: swept or compared, it must not be overwritten by a cycle of its own.
    return OneCycleLR(optimizer, max_lr=settings.lr, total_steps=steps, pct_start=share, cycle_momentum=False)


def _cosine(settings: OptimizerSettings, optimizer: Optimizer, steps: int, steps_per_epoch: int) -> LRScheduler:
    return CosineAnnealingLR(optimizer, T_max=steps)


def _step(settings: OptimizerSettings, optimizer: Optimizer, steps: int, steps_per_epoch: int) -> LRScheduler:
    assert settings.step_epochs is not None
    assert settings.gamma is not None
    return StepLR(optimizer, step_size=settings.step_epochs * steps_per_epoch, gamma=settings.gamma)


_SCHEDULES: Mapping[str, Callable[[OptimizerSettings, Optimizer, int, int], LRScheduler]] = {
    "cosine": _cosine,
    "step": _step,
}
