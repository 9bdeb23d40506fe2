"""A worker that trains nothing, but reports as if it had: what is left is what a trial costs around its training."""

from collections.abc import Callable
from typing import Any

import actsweep.train
from actsweep.curves import Curve
from actsweep.events import Row
from actsweep.settings import TrialConfig
from actsweep.worker.runner import TrialRunner


class IdleRunner(TrialRunner):
    """The real one, in a process whose `train` does no work."""

    def setup(self, config: dict[str, Any]) -> None:
        actsweep.train.train = _train
        super().setup(config)


def _train(trial: Any, data: Any, report: Callable[[Row], None], attempt: Any, should_stop: Any) -> Curve:
    rows = made_up_rows(trial)
    for row in rows:
        report(row)
    rows[-1] |= {"status": "completed", "test_loss": 1.0, "test_acc": 0.5, "best_test_acc": 0.5}
    return Curve.from_rows(rows)


def made_up_rows(trial: TrialConfig) -> list[dict[str, Any]]:
    """As many evaluations as a trial asks for, of a curve that nobody trained."""
    end = trial.trainer.epochs
    return [_row(epoch, epoch / end + trial.seed % 97 / 1e4) for epoch in range(end + 1)]


def _row(epoch: int, progress: float) -> dict[str, Any]:
    accuracy = 0.1 + 0.5 * progress
    measured = {"train_loss": 2.3 - progress, "train_acc": accuracy, "val_loss": 2.3 - progress, "val_acc": accuracy}
    times = {"seconds": epoch * 1e-4, "seconds_from": "cpu", "wall": epoch * 1e-4}
    return {"epoch": epoch, "step": 10 * epoch, **times, **measured, "grad_slope": -0.1, "saturated": 0.2}
