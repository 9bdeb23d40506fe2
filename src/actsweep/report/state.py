"""Where a study is, and the sentences that say it: shared by the terminal's progress and the dashboard."""

from collections.abc import Callable, Iterable, Mapping

from actsweep.events import (
    CellGivenUp,
    Event,
    FailureReason,
    PointChosen,
    RangeWidened,
    StudyExtended,
    StudyRecord,
    StudyResumed,
    StudyStarted,
    TrialEvent,
    TrialFailed,
    place_of,
)
from actsweep.plural import count
from actsweep.report.pace import Pace
from actsweep.report.summary import CellState, board_of, trials_done
from actsweep.report.wording import clean, duration, number, percent
from actsweep.study import PHASES, Phase, Study

_LISTED_CELLS = 4
_LONGEST_LINE = 400  # characters
_FAILED: Mapping[FailureReason, str] = {
    "error": "failed",
    "memory": "ran out of memory",
    "gpu_memory": "ran out of GPU memory",
    "lost": "was lost",
    "timeout": "took too long",
    "data": "cannot read its data",
    "disk": "found the disk full",
    "storage": "had no answer from the storage of checkpoints",
}


class StudyState:
    """Where a study is, kept up to date event by event, and the sentences that say it.

    Args:
        study: the study.
        clock: the time in seconds, from any beginning.
        record: what has happened before, if anything.
        pace: of the same events.
        latest: when the last of them happened, in seconds since the epoch.

    Attributes:
        study: the study.
        closed: whether nobody runs it any more.
    """

    def __init__(
        self,
        study: Study,
        clock: Callable[[], float],
        record: StudyRecord | None = None,
        pace: Pace | None = None,
        latest: float = 0.0,
    ) -> None:
        self.study = study
        self.closed = False
        self._clock = clock
        self._began = self._clock()
        self._record = StudyRecord() if record is None else record
        self._board = board_of(study, self._record)
        self._pace = Pace() if pace is None else pace
        self._event_time, self._event_clock = latest, self._began

    def replay(self, events: Iterable[Event]) -> None:
        """Take in what happened before."""
        event = None
        for event in events:
            self._record(event)
            self._pace(event)
        if event is not None:
            self._event_time, self._event_clock = event.time, self._clock()
            self._board = board_of(self.study, self._record)

    def fold(self, event: Event) -> None:
        """Take in one event as it happens."""
        chosen_anew = isinstance(event, PointChosen) and place_of(event) in self._record.chosen
        self._record(event)
        self._pace(event)
        self._event_time, self._event_clock = event.time, self._clock()
        if isinstance(event, StudyResumed) or chosen_anew:
            self._board = board_of(self.study, self._record)
        elif isinstance(event, TrialEvent):
            self._board.put(self._record.trials[event.trial_id])

    def cells(self) -> tuple[CellState, ...]:
        """Where each cell stands."""
        return self._board.cells()

    def opening(self, event: StudyStarted | StudyResumed) -> str:
        """What is going to run."""
        cells = self.cells()
        planned = {phase: sum(cell.phases[phase].total for cell in cells) for phase in PHASES}
        said = (
            f"{self.study.config.run.name}: {count(len(cells), 'cell')}, {count(planned['tune'], 'trial')} to tune "
            f"and {count(planned['replicate'], 'replicate')}"
            + (f", {planned['cross']} crossed" if planned["cross"] else "")
        )
        return f"{said}; {event.finished} done before" if isinstance(event, StudyResumed) else said

    def extension(self, event: StudyExtended) -> str:
        """What was added to the study."""
        changes = ", ".join(f"{path} {before} -> {now}" for path, before, now in event.changes)
        return clean(f"extended ({changes}); its results will be look {event.look}", _LONGEST_LINE)

    def widening(self, event: RangeWidened) -> str:
        """Which range grew, and why."""
        name = self.study.short_names[event.path]
        return f"a best {name} lies at the {event.side} end of its range: the range grows there, in every cell"

    def failure(self, event: TrialFailed) -> str:
        """Which trial failed, and why."""
        start = self._record.trials[event.trial_id].started
        setting = ", ".join(
            f"{self.study.short_names.get(path, path)} {number(value) if isinstance(value, float) else value}"
            for path, value in start.nuisance.items()
        )
        what = _FAILED[event.reason]
        again = "; it will be tried again" if event.will_retry else ""
        place = f"{self._board.label(start.cell)}, {start.phase}, block {start.block}, {setting}"
        return clean(
            f"trial {event.trial_id} ({place}, seed {start.seed}) {what}{again}: {event.message}", _LONGEST_LINE
        )

    def giving_up(self, event: CellGivenUp) -> str:
        """Which cell is given up, and why."""
        cell = self._board.label(event.cell)
        alike = f"{count(event.failures, 'trial')} of it failed alike: {event.message}"
        return clean(f"no more trials of {cell} are begun, since {alike}", _LONGEST_LINE)

    def heading(self, cells: tuple[CellState, ...]) -> str:
        """How far the study is, and how long it still takes."""
        left = self.left(cells)
        parts = [
            self.counts(cells),
            f"{duration(self._clock() - self._began)} elapsed",
            f"about {duration(max(left, 1))} left" if left and not self.closed else "",
        ]
        return f"{self.phase(cells)}: {', '.join(part for part in parts if part)}"

    def counts(self, cells: tuple[CellState, ...]) -> str:
        """How many trials are done and how many failed."""
        failed = sum(cell.sum("failed") for cell in cells)
        return trials_done(self.ended(cells) - failed, self.total(cells), failed)

    def best(self, cells: tuple[CellState, ...]) -> str:
        """The best accuracies so far; empty before the first."""
        known = [(cell.best, clean(cell.label)) for cell in cells if cell.best is not None]
        if not known:
            return ""
        first = sorted(known, key=lambda pair: -pair[0])[:_LISTED_CELLS]
        listed = [f"{label} {percent(best)}" for best, label in first]
        return f"best validation accuracy: {', '.join(listed)}"

    def phase(self, cells: tuple[CellState, ...]) -> str:
        """What the study is doing, in a word or two."""
        if self._record.finished:
            return "finished"
        if self.closed:
            return "stopped"
        busy = {phase: any(cell.phases[phase].running for cell in cells) for phase in PHASES}
        waiting = self._waiting(cells)
        if busy["replicate"] and (busy["tune"] or waiting["tune"]):
            return "tuning and replicating"
        return "tuning" if busy["tune"] or waiting["tune"] else "replicating"

    def total(self, cells: tuple[CellState, ...]) -> int:
        """Trials in all."""
        return sum(cell.sum("total") for cell in cells)

    def ended(self, cells: tuple[CellState, ...]) -> int:
        """Trials that have a result or failed for good."""
        return sum(cell.sum("done") + cell.sum("failed") for cell in cells)

    def left(self, cells: tuple[CellState, ...]) -> float | None:
        """Seconds until all trials have ended; None where that cannot be told yet."""
        now = self._event_time + self._clock() - self._event_clock
        return self._pace.left(self._waiting(cells), now)

    def _waiting(self, cells: tuple[CellState, ...]) -> dict[Phase, int]:
        return {phase: sum(cell.phases[phase].waiting for cell in cells) for phase in PHASES}
