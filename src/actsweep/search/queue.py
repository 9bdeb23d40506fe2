"""Which trial runs next: the two phases of a study as a queue that knows nothing of Ray."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from actsweep.search.points import block_points
from actsweep.search.proposer import Proposer
from actsweep.study import Study, Trial


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        best_val_acc: its best validation accuracy as the analysis counts it; None where it failed for good.
    """

    best_val_acc: float | None


@dataclass(frozen=True)
class _Entry:
    trial: Trial
    point: int | None  # its number among the points of its cell and block; None for a replicate


class TrialQueue:
    """Hands out a study's trials, tuning first, and a block's replicates as soon as the block's tuning is settled.

    Args:
        study: the study.
        finished: the outcome of a trial that ended earlier, by its id, or None; such a trial is never handed out.
    """

    def __init__(self, study: Study, finished: Callable[[str], Outcome | None]) -> None:
        self._study = study
        self._finished = finished
        self._proposers: dict[tuple[str, int], Proposer] = {}
        for block in range(study.config.study.tune.blocks):
            points = block_points(study, block)
            self._proposers |= {(cell.label, block): Proposer(study.space, points) for cell in study.cells}
        self._lost: deque[_Entry] = deque()
        self._tune = self._tune_entries()
        self._replicates: deque[_Entry] = deque()
        self._running: dict[str, _Entry] = {}

    def next(self) -> Trial | None:
        """The next trial to run; None while all that is left waits for trials that run."""
        while (entry := self._first()) is not None:
            outcome = self._finished(entry.trial.trial_id)
            if outcome is None:
                self._running[entry.trial.trial_id] = entry
                return entry.trial
            self._settle(entry, outcome)
        return None

    @property
    def idle(self) -> bool:
        """Whether no trial is running; after `next` gave None this means that the study is complete."""
        return not self._running

    def end(self, trial_id: str, outcome: Outcome) -> None:
        """Take in how a trial that was handed out ended."""
        self._settle(self._running.pop(trial_id), outcome)

    def retry(self, trial_id: str) -> None:
        """Put a trial that was handed out, and lost, before all others."""
        self._lost.append(self._running.pop(trial_id))

    def _first(self) -> _Entry | None:
        if self._lost:
            return self._lost.popleft()
        entry = next(self._tune, None)
        if entry is None and self._replicates:
            return self._replicates.popleft()
        return entry

    def _tune_entries(self) -> Iterator[_Entry]:
        """Point by point, each for every block and cell, so that no cell's tuning lags behind."""
        asked = True
        while asked:
            asked = False
            for block in range(self._study.config.study.tune.blocks):
                for cell in self._study.cells:
                    proposal = self._proposers[cell.label, block].ask()
                    if proposal is not None:
                        asked = True
                        number, nuisance = proposal
                        yield _Entry(self._study.tune_trial(cell, block, nuisance), number)

    def _settle(self, entry: _Entry, outcome: Outcome) -> None:
        if entry.point is None:
            return
        cell, block = entry.trial.cell, entry.trial.block
        proposer = self._proposers[cell.label, block]
        proposer.tell(entry.point, outcome.best_val_acc)
        if proposer.settled and (best := proposer.best()) is not None:
            trials = self._study.replicate_trials(cell, block, best)
            self._replicates.extend(_Entry(trial, None) for trial in trials)
