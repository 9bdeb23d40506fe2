"""Which trial runs next: the phases of a study as a queue that knows nothing of Ray."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from actsweep.search.tuning import Announcement, Choice, TunePoint, Tuning
from actsweep.study import Cell, Phase, Study, Trial


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        best_val_acc: its best validation accuracy as the analysis counts it; None where it failed for good.
    """

    best_val_acc: float | None


class TrialQueue:
    """Hands out a study's trials, tuning first, and a block's replicates as soon as the block's tuning is settled.

    Args:
        study: the study.
        finished: the outcome of a trial that has ended, or None; such a trial is never handed out.
        announce: told of each range that grows and each point that is chosen, also of those that are already recorded.
    """

    def __init__(
        self, study: Study, finished: Callable[[Trial], Outcome | None], announce: Callable[[Announcement], None]
    ) -> None:
        self._study = study
        self._finished = finished
        self._tuning = Tuning(study, announce)
        self._choices: dict[tuple[str, int], Choice] = {}
        self._seeded: deque[Trial] = deque()
        self._queued: set[str] = set()
        self._lost: deque[TunePoint | Trial] = deque()
        self._running: dict[str, TunePoint | Trial] = {}

    def next(self) -> Trial | None:
        """The next trial to run; None while all that is left waits for trials that run."""
        while (entry := self._first()) is not None:
            trial = _trial(entry)
            outcome = self._finished(trial)
            if outcome is None:
                self._running[trial.trial_id] = entry
                return trial
            self._settle(entry, outcome)
        return None

    @property
    def idle(self) -> bool:
        """Whether no trial is running; after `next` gave None this means that the study is complete."""
        return not self._running

    @property
    def ready(self) -> int:
        """How many trials could be handed out now, whatever comes of those that run."""
        return len(self._lost) + len(self._seeded) + self._tuning.ready

    def end(self, trial_id: str, outcome: Outcome) -> None:
        """Take in how a trial that was handed out ended."""
        self._settle(self._running.pop(trial_id), outcome)

    def retry(self, trial_id: str) -> None:
        """Put a trial that was handed out, and lost, before all others."""
        self._lost.append(self._running.pop(trial_id))

    def _first(self) -> TunePoint | Trial | None:
        if self._lost:
            return self._lost.popleft()
        point = self._tuning.ask()
        if point is None and self._seeded:
            return self._seeded.popleft()
        return point

    def _settle(self, entry: TunePoint | Trial, outcome: Outcome) -> None:
        if isinstance(entry, TunePoint):
            for choice in self._tuning.tell(entry, outcome.best_val_acc):
                self._release(choice)

    def _release(self, choice: Choice) -> None:
        """The replicates of a block at its best point, and the cross trials that its best point makes possible."""
        self._choices[choice.cell.label, choice.block] = choice
        self._queue("replicate", choice.cell, choice)
        if self._study.config.study.replicate.cross:
            for other in self._opponents(choice):
                self._queue("cross", other.cell, choice)
                self._queue("cross", choice.cell, other)

    def _opponents(self, choice: Choice) -> Iterator[Choice]:
        """The settled choices that this one is compared with: the reference, or all others where it is that."""
        factor, reference = self._study.factor, self._study.reference
        for cell in self._study.cells:
            same_stratum = all(cell.values[path] == choice.cell.values[path] for path in self._study.strata)
            arms = {cell.values[factor], choice.cell.values[factor]}
            other = self._choices.get((cell.label, choice.block))
            if same_stratum and len(arms) == 2 and reference in arms and other is not None:
                yield other

    def _queue(self, phase: Phase, cell: Cell, at: Choice) -> None:
        for trial in self._study.seeded_trials(phase, cell, at.block, at.nuisance):
            if trial.trial_id not in self._queued:
                self._queued.add(trial.trial_id)
                self._seeded.append(trial)


def _trial(entry: TunePoint | Trial) -> Trial:
    return entry.trial if isinstance(entry, TunePoint) else entry
