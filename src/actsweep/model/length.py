"""How long a Trainer's training is, as far as a schedule asks."""

import math

import pytorch_lightning as pl

from actsweep.errors import RequestError
from actsweep.settings import OptimizerSettings


def training_length(settings: OptimizerSettings, trainer: pl.Trainer) -> tuple[int, int]:
    """The optimizer's steps in the whole training and in an epoch; 1 for what the schedule does not look at.

    Args:
        settings: the optimizer's, with its schedule.
        trainer: about to fit a module.

    Raises:
        RequestError: the schedule looks at a length that the Trainer does not know.
    """
    trainer.fit_loop.setup_data()  # before, the number of batches is not known, nor is it asked for in endless training
    steps = per_epoch = 1
    if settings.schedule in ("cosine", "one_cycle"):
        steps = _steps(settings.schedule, trainer)
    if settings.schedule == "step" or settings.warmup:
        per_epoch = _steps_per_epoch(trainer)
    return steps, per_epoch


def _steps(schedule: str, trainer: pl.Trainer) -> int:
    steps = trainer.estimated_stepping_batches
    if math.isinf(steps) or steps < 0:
        raise RequestError(
            f"optimizer.schedule={schedule} is as long as the training, and the Trainer does not know how long it is: "
            "give it max_steps, or max_epochs and batches that have a length; or choose optimizer.schedule=none"
        )
    return int(steps)


def _steps_per_epoch(trainer: pl.Trainer) -> int:
    batches = trainer.num_training_batches
    if math.isinf(batches):
        raise RequestError(
            "optimizer.warmup and optimizer.step_epochs count epochs, and the Trainer does not know how long one is: "
            "give it batches that have a length, or limit_train_batches as a whole number"
        )
    return math.ceil(batches / trainer.accumulate_grad_batches)
