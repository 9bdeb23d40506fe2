"""Several trials for a worker in one go: where each takes little time, or where they train side by side."""

import math
from collections.abc import Callable, Collection, Sequence

from actsweep.events import StudyRecord, TrialRecord
from actsweep.search.queue import TrialQueue
from actsweep.study import Cell, Study, Trial

PACK_SECONDS = 5.0  # of wall time, some hundred times what Tune and a round trip to a worker take
MOST_TRIALS = 200


class Pack:
    """Trials that one worker trains, some at a time, each with the number of its attempt.

    Args:
        attempts: at least one, in the order in which they begin.
        side_by_side: how many train at a time.

    Attributes:
        attempts: the same.
        running: the places of those that run, or will run first; none once all have ended.
    """

    def __init__(self, attempts: Sequence[tuple[Trial, int]], side_by_side: int = 1) -> None:
        self.attempts = tuple(attempts)
        self._begun = min(side_by_side, len(attempts))
        self.running = list(range(self._begun))

    def end(self, place: int) -> int | None:
        """A trial has ended; the place of the one that begins in its stead, if one is left."""
        self.running.remove(place)
        if self._begun == len(self.attempts):
            return None
        self.running.append(self._begun)
        self._begun += 1
        return self.running[-1]

    @property
    def untouched(self) -> tuple[Trial, ...]:
        """The trials that have not begun."""
        return tuple(trial for trial, _ in self.attempts[self._begun :])


class Packer:
    """Takes trials off a queue, a pack at a time.

    A pack is as many trials as take about `PACK_SECONDS` by what trials of their cells took before, and at least those
    that train side by side; fewer towards the end, so that no worker is left with many while others have none (guided
    self-scheduling, Polychronopoulos and Kuck 1987). A trial that a scheduler may stop is always by itself.

    Args:
        study: the study.
        queue: its trials.
        record: what has happened so far, kept up to date by others.
        slots: how many workers there are.
        stoppable: whether a scheduler may stop a trial; an attribute, too.
        alone: the ids of trials that are to have a GPU for themselves; filled by others.
    """

    def __init__(
        self,
        study: Study,
        queue: TrialQueue,
        record: StudyRecord,
        slots: int,
        stoppable: Callable[[Trial], bool],
        alone: Collection[str] = (),
    ) -> None:
        self._queue = queue
        self._slots = slots
        self._side_by_side = study.config.cluster.side_by_side
        self.stoppable = stoppable
        self._alone = alone
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
        if self._by_itself(first):
            return (first,)
        pack, seconds = [first], self._expected(first)
        width = min(self._side_by_side, 1 + self._queue.ready // self._slots)
        most = min(MOST_TRIALS, math.ceil(self._queue.ready / (2 * self._slots)))
        while len(pack) < width or (seconds < PACK_SECONDS * width and len(pack) < most):
            trial = self._next()
            if trial is None or self._by_itself(trial):
                self._held = trial
                break
            pack.append(trial)
            seconds += self._expected(trial)
        return tuple(pack)

    def is_alone(self, trial: Trial) -> bool:
        """Whether a trial is to have a GPU for itself."""
        return trial.trial_id in self._alone

    def _by_itself(self, trial: Trial) -> bool:
        return self.stoppable(trial) or self.is_alone(trial)

    def _next(self) -> Trial | None:
        trial, self._held = self._held, None
        return trial or self._queue.next()

    def _expected(self, trial: Trial) -> float:
        return self._seconds.get(trial.cell.label, math.inf)
