"""How far a running study is: a live table on a terminal, plain lines elsewhere."""

import threading
from collections.abc import Iterable
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
    RangeWidened,
    StudyExtended,
    StudyResumed,
    StudyStarted,
    TrialEnd,
    TrialFailed,
)
from actsweep.report.state import StudyState
from actsweep.report.terminal.tables import states_table
from actsweep.study import Study

REDRAWS = 4  # a second, at most
LINE_SECONDS = 30.0  # a line at least this often


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
        self._state = StudyState(study, console.get_time)
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


class _Table:
    """The live display on a terminal."""

    def __init__(self, state: StudyState, lock: threading.RLock, console: Console) -> None:
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

    def __init__(self, state: StudyState, lock: threading.RLock, console: Console) -> None:
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
