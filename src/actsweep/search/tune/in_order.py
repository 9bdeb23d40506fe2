"""Trials run in the order in which they were handed out."""

from collections import deque
from typing import Any

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler

from actsweep.search.tune.driver_only import DriverOnly


class InOrder(DriverOnly, FIFOScheduler):
    """Tune's own, but for looking at all trials of a study, also those that ended, each time a worker is free."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[TuneTrial] = deque()

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A trial waits."""
        self._waiting.append(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> TuneTrial | None:
        """The trial that has waited longest."""
        while self._waiting and self._waiting[0].status != TuneTrial.PENDING:
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None
