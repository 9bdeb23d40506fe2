"""One study, read as it grows: what is known of it now."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from actsweep.events import (
    Evaluation,
    Event,
    StopSpared,
    StudyExtended,
    StudyRecord,
    StudyStarted,
    TrialEvent,
    TrialStarted,
)
from actsweep.live.files import Stamp, stamp, verdicts
from actsweep.live.report import Report, copied
from actsweep.plugins import plugins_left_out
from actsweep.records import LedgerContent, LedgerReader, OpenedStudy, StudyFolder, fold, is_held, opened_study
from actsweep.report.pace import Pace
from actsweep.report.state import StudyState
from actsweep.report.wording import clean
from actsweep.studies import StudyEntry
from actsweep.study import Study

LINES = 4_000  # read in one go, so that other studies have their turn
LOCK_SECONDS = 2.0  # between two looks at whether a process holds the ledger
RETRY_SECONDS = 5.0  # before a damaged study that has changed is read again
LONGEST_DAMAGE = 1_000  # characters
_WITHOUT_RESULT = (TrialStarted, Evaluation, StopSpared)


class FollowedStudy:
    """What is known of the study in a folder; one thread at a time may `look`.

    Args:
        path: the folder.

    Attributes:
        folder: the study's.
        entry: its line in the list of studies; the state is `reading` until all of the ledger is known, and `damaged`
            where it cannot be read.
        revision: goes up with whatever may change the study's results.
        report: what it had come to when that was last computed; set by whoever computes.
        share: how much of the ledger has been read, while it is `reading`.
        state: where it is; None unless all of the ledger is in memory.
        opened: its settings, under the same condition.
        recent: the trials in the order in which they were last heard of.
        began: when it did, in seconds since the epoch.
        heard: goes up with every event, or other change, that its page may show.
    """

    def __init__(self, path: Path) -> None:
        self.folder = StudyFolder(path)
        self.entry = StudyEntry(path.name, path, "reading")
        self.revision = self.heard = 0
        self.report: Report | None = None
        self.share = 0.0
        self._held, self._held_asked, self._finished = False, 0.0, False
        self._verdicts: tuple[Stamp, tuple[tuple[str, int], ...]] = (None, ())
        self._failed: tuple[object, float] | None = None
        self._known: object = None
        self.forget()

    def forget(self) -> None:
        """Give the memory back; the next look that wants all of it reads the ledger anew."""
        self._reader = LedgerReader(self.folder.ledger)
        self._begin()

    def _begin(self) -> None:
        self.state: StudyState | None = None
        self.opened: OpenedStudy | None = None
        self.recent: dict[str, None] = {}
        self.began: float | None = None
        self.record = StudyRecord()
        self._pace = Pace()
        self._settings: list[Event] = []  # the events that hold some
        self._time: float | None = None
        self._config: Stamp = None
        self.revision += 1
        self.heard += 1

    @property
    def is_whole(self) -> bool:
        """Whether all of the ledger is in memory."""
        return self.state is not None

    def look(self, *, whole: bool) -> bool:
        """Read on, a few thousand lines at most; whatever is wrong makes the study a damaged one, until it changes.

        Args:
            whole: whether all of the ledger is wanted in memory, even where nothing has changed since it was.

        Returns:
            whether there is more to read.
        """
        files = (stamp(self.folder.ledger), stamp(self.folder.config_file))
        try:
            with plugins_left_out():
                self._ask_for_holder()
                if self._is_known(files, whole):
                    return False
                more = self._read()
                self._known, self._failed = (None if more else files), None
                return more
        except Exception as error:  # whatever a damaged file leads to
            self._failed = (files, time.monotonic())
            self.forget()
            told = clean(str(error) or type(error).__name__, LONGEST_DAMAGE)
            self.entry = StudyEntry(self.folder.path.name, self.folder.path, "damaged", damage=told)
            return False

    def _is_known(self, files: object, whole: bool) -> bool:
        if self._failed is not None:
            before, at = self._failed
            return files == before or time.monotonic() - at < RETRY_SECONDS
        if files != self._known or (whole and not self.is_whole):
            return False
        self.entry = replace(self.entry, state=self._state(), verdicts=self._counted())
        if self.state is not None:
            self.state.closed = not self._held
        return True

    def _read(self) -> bool:
        news = self._reader.read(LINES)
        if news.anew:
            self._begin()
        self._take(news.events)
        if news.more:
            size = self.folder.ledger.stat().st_size
            self.share = self._reader.size / max(size, 1)
            return True
        if self.opened is None or stamp(self.folder.config_file) != self._config:
            self._open()
        self._sum_up()
        return False

    def _take(self, events: tuple[Event, ...]) -> None:
        first = self._reader.lines - len(events) + 1
        fold(self._both if self.state is None else self.state.fold, events, first)
        for event in events:
            if isinstance(event, TrialEvent):
                self.recent.pop(event.trial_id, None)
                self.recent[event.trial_id] = None
        if events:
            self.began = events[0].time if self.began is None else self.began
            self._time = events[-1].time
        self._note(events)
        self.heard += len(events)

    def _both(self, event: Event) -> None:
        self.record(event)
        self._pace(event)

    def _note(self, events: Iterable[Event]) -> None:
        settings = [event for event in events if isinstance(event, StudyStarted | StudyExtended)]
        if settings:
            self._settings += settings
            self.opened = None
        self.revision += any(not isinstance(event, _WITHOUT_RESULT) for event in events)

    def _open(self) -> None:
        self.folder.refuse_links()
        self._config = stamp(self.folder.config_file)
        content = LedgerContent(tuple(self._settings), len(self._reader.torn))
        self.opened = opened_study(self.folder, content, self.record)
        study = Study(self.opened.config)
        self.state = StudyState(study, time.time, self.record, self._pace, self._time or 0.0)
        self.revision += 1
        self.heard += 1

    def _sum_up(self) -> None:
        assert self.state is not None
        self.state.closed, self._finished = not self._held, self.record.finished
        cells = self.state.cells()
        done, failed, total = (sum(cell.sum(name) for cell in cells) for name in ("done", "failed", "total"))
        place, state = self.folder.path, self._state()
        self.entry = StudyEntry(place.name, place, state, done, failed, total, self._time, self._counted())

    def _state(self) -> str:
        return "running" if self._held else "finished" if self._finished else "interrupted"

    def _ask_for_holder(self) -> None:
        if time.monotonic() - self._held_asked >= LOCK_SECONDS:
            self._held, self._held_asked = is_held(self.folder.ledger), time.monotonic()

    def _counted(self) -> tuple[tuple[str, int], ...]:
        """The verdicts as they were last written, read again when they were."""
        now = stamp(self.folder.results)
        if now != self._verdicts[0]:
            self._verdicts = now, verdicts(self.folder)
        return self._verdicts[1]

    def for_report(self) -> OpenedStudy | None:
        """The study as a report is computed from, in values that no later event changes."""
        return None if self.opened is None else replace(self.opened, record=copied(self.record))
