"""Trials whose workers should have ended them long ago, and could not: those of frozen workers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import ray
from ray.tune.experiment import Trial as TuneTrial

from actsweep.worker import worker_seconds

STARTING_SECONDS = 600.0  # for the data to come and the first evaluation, where the driver waits for a sign of life


def driver_seconds(limit: float) -> float:
    """When the driver ends the worker of a trial that has a time limit: seconds, as the limit."""
    return worker_seconds(limit) + 20


@dataclass(frozen=True)
class _Watched:
    trial: TuneTrial
    limit: float | None
    began: float
    ends: float  # when its worker is ended


class TrialWatch:
    """Knows on the driver how long each trial has been running, whatever the clock on the wall says.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[tuple[str, int], _Watched] = {}

    def begin(self, trial: TuneTrial, place: int, limit: float | None) -> None:
        """A trial of a pack begins, with its time limit in seconds, or with none: then it is never ended."""
        now = self._clock()
        ends = math.inf if limit is None else now + STARTING_SECONDS + driver_seconds(limit)
        self._watched[trial.trial_id, place] = _Watched(trial, limit, now, ends)

    def heard(self, trial: TuneTrial, place: int) -> None:
        """A trial has reported, so its training has begun."""
        watched = self._watched.get((trial.trial_id, place))
        if watched is not None and watched.limit is not None:
            ends = min(watched.ends, self._clock() + driver_seconds(watched.limit))
            self._watched[trial.trial_id, place] = replace(watched, ends=ends)

    def end(self, trial: TuneTrial, place: int) -> bool:
        """A trial is over; whether it took longer than its limit."""
        watched = self._watched.pop((trial.trial_id, place), None)
        return watched is not None and watched.limit is not None and self._clock() - watched.began >= watched.limit

    def end_overdue(self) -> None:
        """End the workers that should have ended their trials long ago, frozen ones too; Tune then sees them lost."""
        for key, watched in self._watched.items():
            if self._clock() > watched.ends:
                self._watched[key] = replace(watched, ends=math.inf)
                if (actor := watched.trial.temporary_state.ray_actor) is not None:
                    ray.kill(actor)
