"""Our epoch in the place of Lightning's own, whose many hooks cost as much as a small network's steps.

Lightning has no public way to do this, so this file leans on its protected loops, of the one minor version that we
accept; that a stock `Trainer.fit` gives the same curve is among the tests.
"""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loops.training_epoch_loop import _TrainingEpochLoop
from torch.optim import Optimizer

from actsweep.data import Batches
from actsweep.model import Classifier
from actsweep.train.epoch import Step, train_epoch, training_step


class EpochLoop(_TrainingEpochLoop):
    """Takes the steps of an epoch with `train_epoch`, and keeps the Trainer's books.

    Args:
        trainer: whose loop this is to be.
        batches: the training batches, on the module's device.
        should_stop: asked after each step.
        captured: makes of a step and its optimizer what replays the step; None to take all steps as they come.
    """

    def __init__(
        self,
        trainer: pl.Trainer,
        batches: Batches,
        should_stop: Callable[[], bool],
        captured: Callable[[Step, Optimizer], Step] | None,
    ) -> None:
        super().__init__(trainer)
        self._batches = batches
        self._should_stop = should_stop
        self._captured = captured
        self._step: Step | None = None

    def run(self, data_fetcher: Any) -> None:
        """One epoch, or nothing where the Trainer goes on from a checkpoint that was written at an epoch's end."""
        self.reset()
        if self.done:
            return
        schedules = [config.scheduler for config in self.trainer.lr_scheduler_configs]
        self._step = self._step or self._made_step()
        steps = train_epoch(self._step, schedules[0] if schedules else None, self._batches, self._should_stop)
        self.batch_progress.increment_by(steps, is_last_batch=steps == len(self._batches))
        self.automatic_optimization.optim_progress.optimizer.step.increment_by(steps)
        self._batches_that_stepped += steps

    def _made_step(self) -> Step:
        module, optimizer = self.trainer.lightning_module, self.trainer.optimizers[0]
        assert isinstance(module, Classifier)
        step = training_step(module, optimizer, self.trainer.precision_plugin.train_step_context)
        return step if self._captured is None else self._captured(step, optimizer)
