"""Several trials for a worker in one go, where each takes little time: what Tune spends on each would be felt."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from actsweep.events import StudyRecord, TrialRecord
from actsweep.search.queue import TrialQueue
from actsweep.study import Cell, Study, Trial

PACK_SECONDS = 5.0  # of wall time, some hundred times what Tune and a round trip to a worker take
MOST_TRIALS = 200


@dataclass
class Pack:
    """Trials that one worker trains one after the other, each with the number of its attempt.

    Attributes:
        attempts: at least one.
        place: the index of the one that runs, or will run first; their number once all have ended.
    """

    attempts: tuple[tuple[Trial, int], ...]
    place: int = 0

    @property
    def current(self) -> tuple[Trial, int]:
        """The trial that runs."""
        return self.attempts[self.place]

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return self.place == len(self.attempts)

    @property
    def untouched(self) -> tuple[Trial, ...]:
        """The trials after the one that runs."""
        return tuple(trial for trial, _ in self.attempts[self.place + 1 :])


class Packer:
    """Takes trials off a queue, a pack at a time.

    A pack is as many trials as take about `PACK_SECONDS` by what trials of their cells took before, one where that is
    not known yet; fewer towards the end, so that no worker is left with many while others have none (guided
    self-scheduling, Polychronopoulos and Kuck 1987). A trial that a scheduler may stop is always by itself.

    Args:
        study: the study.
        queue: its trials.
        record: what has happened so far, kept up to date by others.
        slots: how many workers there are.
        stoppable: whether a scheduler may stop a trial; an attribute, too.
    """

    def __init__(
        self,
        study: Study,
        queue: TrialQueue,
        record: StudyRecord,
        slots: int,
        stoppable: Callable[[Trial], bool],
    ) -> None:
        self._queue = queue
        self._slots = slots
        self.stoppable = stoppable
        self._held: Trial | None = None
        self._seconds: dict[str, float] = {}
        for trial in record.trials.values():
            self.ended(study.cell_at(trial.started.cell), trial)

    def ended(self, cell: Cell, trial: TrialRecord) -> None:
        """Take in how long a trial of a cell took that came to its last epoch."""
        if trial.status == "completed":
            self._seconds[cell.label] = float(trial.rows[-1]["wall"] or math.inf)

    def next(self) -> tuple[Trial, ...]:
        """The next trials for a worker; none while there are none."""
        first = self._next()
        if first is None:
            return ()
        pack, seconds = [first], self._expected(first)
        most = min(MOST_TRIALS, math.ceil(self._queue.ready / (2 * self._slots)))
        while seconds < PACK_SECONDS and len(pack) < most and (trial := self._next()) is not None:
            if self.stoppable(trial):
                self._held = trial
                break
            pack.append(trial)
            seconds += self._expected(trial)
        return tuple(pack)

    def _next(self) -> Trial | None:
        trial, self._held = self._held, None
        return trial or self._queue.next()

    def _expected(self, trial: Trial) -> float:
        return math.inf if self.stoppable(trial) else self._seconds.get(trial.cell.label, math.inf)
