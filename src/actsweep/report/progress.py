"""How far a running study is: a live table on a terminal, plain lines elsewhere."""

import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

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
    TrialEnd,
    TrialEvent,
    TrialFailed,
    place_of,
)
from actsweep.report.pace import Pace
from actsweep.report.summary import Board, CellState, board_of
from actsweep.report.terminal import states_table
from actsweep.report.wording import clean, count, duration, number, percent
from actsweep.study import PHASES, Phase, Study

REDRAWS = 4  # a second, at most
LINE_SECONDS = 30.0  # a line at least this often
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


class _Display(Protocol):
    def __enter__(self) -> object: ...
    def __exit__(self, kind: object, error: object, trace: object, /) -> None: ...
    def update(self, trial_ended: bool) -> None: ...


class Progress:
    """Shows the events of a study that it is called with, as a context manager.

    Args:
        study: the study.
        console: where to show it; a terminal gets a live table, anything else plain lines.
    """

    def __init__(self, study: Study, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._state = _State(study, console)
        terminal = console.is_terminal and not console.is_dumb_terminal
        self._display: _Display = (
            _Table(self._state, self._lock, console) if terminal else _Lines(self._state, self._lock, console)
        )

    def replay(self, events: Iterable[Event]) -> None:
        """Take in what happened before, in silence."""
        with self._lock:
            self._state.replay(events)

    def __call__(self, event: Event) -> None:
        """Take in one event as it happens."""
        with self._lock:
            self._state.fold(event)
            line = self._line(event)
        if line is not None:  # printed without the lock: a live display prints under its own, and then asks for ours
            self._console.print(line, soft_wrap=True)
        self._display.update(isinstance(event, TrialEnd))

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._state.closed = True
        self._display.__exit__(kind, error, trace)

    def _line(self, event: Event) -> Text | None:
        match event:
            case StudyStarted() | StudyResumed():
                return Text(self._state.opening(event))
            case StudyExtended():
                return Text(self._state.extension(event))
            case RangeWidened():
                return Text(self._state.widening(event))
            case TrialFailed():
                return Text(self._state.failure(event), style="red")
            case CellGivenUp():
                return Text(self._state.giving_up(event), style="red")
            case _:
                return None


class _State:
    """What is known of the study, and the sentences that say it."""

    def __init__(self, study: Study, console: Console) -> None:
        self.study = study
        self.closed = False
        self._clock = console.get_time
        self._began = self._clock()
        self._record = StudyRecord()
        self._board = Board(study, self._record)
        self._pace = Pace()
        self._event_time, self._event_clock = 0.0, self._began

    def replay(self, events: Iterable[Event]) -> None:
        event = None
        for event in events:
            self._record(event)
            self._pace(event)
        if event is not None:
            self._event_time, self._event_clock = event.time, self._clock()
            self._board = board_of(self.study, self._record)

    def fold(self, event: Event) -> None:
        chosen_anew = isinstance(event, PointChosen) and place_of(event) in self._record.chosen
        self._record(event)
        self._pace(event)
        self._event_time, self._event_clock = event.time, self._clock()
        if isinstance(event, StudyResumed) or chosen_anew:
            self._board = board_of(self.study, self._record)
        elif isinstance(event, TrialEvent):
            self._board.put(self._record.trials[event.trial_id])

    def cells(self) -> tuple[CellState, ...]:
        return self._board.cells()

    def opening(self, event: StudyStarted | StudyResumed) -> str:
        cells = self.cells()
        planned = {phase: sum(cell.phases[phase].total for cell in cells) for phase in PHASES}
        said = (
            f"{self.study.config.run.name}: {count(len(cells), 'cell')}, {count(planned['tune'], 'trial')} to tune "
            f"and {count(planned['replicate'], 'replicate')}"
            + (f", {planned['cross']} crossed" if planned["cross"] else "")
        )
        return f"{said}; {event.finished} done before" if isinstance(event, StudyResumed) else said

    def extension(self, event: StudyExtended) -> str:
        changes = ", ".join(f"{path} {before} -> {now}" for path, before, now in event.changes)
        return clean(f"extended ({changes}); its results will be look {event.look}", _LONGEST_LINE)

    def widening(self, event: RangeWidened) -> str:
        name = self.study.short_names[event.path]
        return f"a best {name} lies at the {event.side} end of its range: the range grows there, in every cell"

    def failure(self, event: TrialFailed) -> str:
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
        cell = self._board.label(event.cell)
        alike = f"{count(event.failures, 'trial')} of it failed alike: {event.message}"
        return clean(f"no more trials of {cell} are begun, since {alike}", _LONGEST_LINE)

    def heading(self, cells: tuple[CellState, ...]) -> str:
        failed = sum(cell.sum("failed") for cell in cells)
        left = self.left(cells)
        parts = [
            f"{self.ended(cells) - failed} of {count(self.total(cells), 'trial')} done",
            f"{failed} failed" if failed else "",
            f"{duration(self._clock() - self._began)} elapsed",
            f"about {duration(max(left, 1))} left" if left and not self.closed else "",
        ]
        return f"{self.phase(cells)}: {', '.join(part for part in parts if part)}"

    def best(self, cells: tuple[CellState, ...]) -> str:
        known = [(cell.best, clean(cell.label)) for cell in cells if cell.best is not None]
        if not known:
            return ""
        first = sorted(known, key=lambda pair: -pair[0])[:_LISTED_CELLS]
        listed = [f"{label} {percent(best)}" for best, label in first]
        return f"best validation accuracy: {', '.join(listed)}"

    def phase(self, cells: tuple[CellState, ...]) -> str:
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
        return sum(cell.sum("total") for cell in cells)

    def ended(self, cells: tuple[CellState, ...]) -> int:
        return sum(cell.sum("done") + cell.sum("failed") for cell in cells)

    def left(self, cells: tuple[CellState, ...]) -> float | None:
        now = self._event_time + self._clock() - self._event_clock
        return self._pace.left(self._waiting(cells), now)

    def _waiting(self, cells: tuple[CellState, ...]) -> dict[Phase, int]:
        return {phase: sum(cell.phases[phase].waiting for cell in cells) for phase in PHASES}


class _Table:
    """The live display on a terminal."""

    def __init__(self, state: _State, lock: threading.RLock, console: Console) -> None:
        self._state, self._lock = state, lock
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=REDRAWS)

    def __enter__(self) -> object:
        return self._live.__enter__()

    def __exit__(self, kind: object, error: object, trace: object, /) -> None:
        self._live.stop()

    def update(self, trial_ended: bool) -> None:
        """Nothing to do: the display redraws itself."""

    def _render(self) -> RenderableType:
        with self._lock:
            cells = self._state.cells()
            bar = ProgressBar(total=max(self._state.total(cells), 1), completed=self._state.ended(cells))
            line = Padding(bar, 0)  # the bar alone does not end its line
            return Group(Text(self._state.heading(cells)), line, states_table(self._state.study, cells))


class _Lines:
    """A line at each tenth of the trials, and at least every `LINE_SECONDS`."""

    def __init__(self, state: _State, lock: threading.RLock, console: Console) -> None:
        self._state, self._lock, self._console = state, lock, console
        self._tenths = 0
        self._last = console.get_time()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> object:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object, /) -> None:
        self._over.set()
        self._thread.join()
        self._print()

    def update(self, trial_ended: bool) -> None:
        with self._lock:
            due = self._console.get_time() - self._last >= LINE_SECONDS
            if not (trial_ended or due):
                return
            cells = self._state.cells()
            tenths = 10 * self._state.ended(cells) // max(self._state.total(cells), 1)
            if tenths > self._tenths or due:
                self._tenths = tenths
                self._print()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.update(trial_ended=False)

    def _print(self) -> None:
        self._last = self._console.get_time()
        cells = self._state.cells()
        parts = [self._state.heading(cells), self._state.best(cells)]
        self._console.print(Text("; ".join(part for part in parts if part)), soft_wrap=True)
