"""Trials that do not end by themselves at `trainer.trial_timeout`, since they hang, or since their worker is frozen.

A trial looks at the clock after each batch. One that hangs in between is ended by its own worker some time later, with
a traceback in its log. A worker that cannot do that is ended by the driver, later still.
"""

import faulthandler
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import ray
from ray.tune.experiment import Trial as TuneTrial

from actsweep.records import Attempt

STARTING_SECONDS = 600.0  # for the data to come and the first evaluation, where the driver waits for a sign of life


def worker_seconds(limit: float) -> float:
    """When a worker ends a trial that has a time limit, with time for its last evaluations: seconds, as the limit."""
    return 1.25 * limit + 20


def driver_seconds(limit: float) -> float:
    """When the driver ends the worker of a trial that has a time limit: seconds, as the limit."""
    return worker_seconds(limit) + 20


@contextmanager
def ended_when_hung(limit: float | None, attempt: Attempt) -> Iterator[None]:
    """End this process, with the traceback of every thread in the attempt's log, where the block takes far too long.

    The traceback is written by a thread that needs nothing of Python's, so even one stuck in C code is ended.
    """
    if limit is None:
        yield
        return
    with attempt.open_log() as log:
        faulthandler.dump_traceback_later(worker_seconds(limit), exit=True, file=log)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@dataclass(frozen=True)
class _Watched:
    trial: TuneTrial
    limit: float | None
    began: float
    ends: float  # when its worker is ended


class Watch:
    """Knows on the driver how long each trial has been running, whatever the clock on the wall says.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def begin(self, trial: TuneTrial, limit: float | None) -> None:
        """A trial begins on a worker, with its time limit in seconds, or with none: then it is never ended."""
        now = self._clock()
        ends = math.inf if limit is None else now + STARTING_SECONDS + driver_seconds(limit)
        self._watched[trial.trial_id] = _Watched(trial, limit, now, ends)

    def heard(self, trial: TuneTrial) -> None:
        """A trial has reported, so its training has begun."""
        watched = self._watched.get(trial.trial_id)
        if watched is not None and watched.limit is not None:
            ends = min(watched.ends, self._clock() + driver_seconds(watched.limit))
            self._watched[trial.trial_id] = replace(watched, ends=ends)

    def end(self, trial: TuneTrial) -> bool:
        """A trial is over; whether it took longer than its limit."""
        watched = self._watched.pop(trial.trial_id, None)
        return watched is not None and watched.limit is not None and self._clock() - watched.began >= watched.limit

    def end_overdue(self) -> None:
        """End the workers that should have ended their trials long ago, frozen ones too; Tune then sees them lost."""
        for name, watched in self._watched.items():
            if self._clock() > watched.ends:
                self._watched[name] = replace(watched, ends=math.inf)
                if (actor := watched.trial.temporary_state.ray_actor) is not None:
                    ray.kill(actor)
