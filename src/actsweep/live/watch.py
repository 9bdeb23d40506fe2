"""The threads that read: one that follows every study somebody looks at, one that computes what a study has come to."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from actsweep.live.follow import FollowedStudy
from actsweep.live.listing import Listed, listed
from actsweep.live.pages import address_of, list_parts, study_parts
from actsweep.live.parts import Parts
from actsweep.live.report import make_report
from actsweep.live.view import StudyView, entry_view, study_view
from actsweep.plugins import plugins_left_out
from actsweep.records import OpenedStudy, StudyFolder
from actsweep.report.wording import clean
from actsweep.studies import StudyEntry

PAUSE = 0.4  # seconds between two rounds
ASKED = 20.0  # seconds for which a page counts as looked at after each request; a hidden tab asks once a minute
KEPT = 600.0  # seconds for which what was read for a page is kept in memory after its last request
_OTHERS = 0.3  # seconds of a round for studies that are only listed
_LINK = "a link, which is not followed here; for the studies where it leads: actsweep dashboard --root DIR"


@dataclass
class _Watched:
    """A study, when its page was last asked for, and what that page shows now."""

    followed: FollowedStudy
    asked: float = float("-inf")
    parts: Parts | None = None
    shown: object = None


@dataclass(frozen=True)
class _Order:
    followed: FollowedStudy
    folder: StudyFolder
    opened: OpenedStudy
    revision: int


class Watch:
    """What is known of the studies below a folder, kept up to date while somebody asks.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._studies: dict[str, _Watched] = {}
        self._listed = Listed({})
        self._overview_asked = float("-inf")
        self._overview: Parts | None = None
        self._overview_shown: object = None
        self._first = 0  # of the studies that are only listed, in the next round
        self._asked = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._compute)]
        self._computing = False

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Read no more, and begin to compute nothing more."""
        self._over.set()
        self._asked.set()
        self._orders.put(None)

    def has_ended(self, seconds: float) -> bool:
        """Whether the threads end within a time after `stop`; what is being computed may take a minute."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def overview(self) -> Parts | None:
        """The parts of the list of studies; None while it is being made."""
        self._overview_asked = time.monotonic()
        self._asked.set()
        return self._overview

    def knows(self, name: str) -> bool:
        """Whether the root holds a study of exactly this name, which may be anything; it takes a look at the disk."""
        self._list()
        return name in self._studies

    def study(self, name: str) -> Parts | None:
        """The parts of a study's page; None while they are being made, or where no such study is known."""
        watched = self._studies.get(name)
        if watched is None:
            return None
        watched.asked = time.monotonic()
        self._asked.set()
        return watched.parts

    def _list(self) -> None:
        found = listed(self.root)
        with self._lock:
            known = self._studies
            self._studies = {
                name: known.get(name) or _Watched(FollowedStudy(path)) for name, path in found.studies.items()
            }
            self._listed = found

    def _read(self) -> None:
        with plugins_left_out():
            while not self._over.is_set():
                more = self._round()
                self._over.wait(0.0 if more else PAUSE)
                if not self._is_asked(self._overview_asked, *(one.asked for one in self._studies.values())):
                    self._asked.clear()
                    self._asked.wait(KEPT)

    def _is_asked(self, *times: float) -> bool:
        return time.monotonic() - max(times) < ASKED

    def _round(self) -> bool:
        """Look once at each study that somebody wants to see; whether there is more to read."""
        self._list()
        studies = list(self._studies.values())
        looked_at = [one for one in studies if self._is_asked(one.asked)]
        others = [one for one in studies if not self._is_asked(one.asked)]
        more = False
        for one in looked_at:
            more = self._look(one) or more
        if self._is_asked(self._overview_asked):
            more = self._look_at_others(others) or more
            self._show_overview()
        for one in others:
            self._forget(one)
        return more

    def _look(self, watched: _Watched) -> bool:
        followed = watched.followed
        more = followed.look(whole=True)
        self._order(followed)
        shown = (followed.entry, followed.share, followed.heard, followed.report)
        if shown != watched.shown:
            watched.parts, watched.shown = study_parts(_view(followed), followed.report), shown
        return more

    def _look_at_others(self, others: list[_Watched]) -> bool:
        """Each in its turn, as many as a part of a round allows, so that pages do not wait for a long list."""
        deadline, more = time.monotonic() + _OTHERS, False
        for number in range(len(others)):
            one = others[(self._first + number) % len(others)]
            more = one.followed.look(whole=False) or more
            if time.monotonic() > deadline:
                self._first += number + 1
                break
        return more

    def _forget(self, one: _Watched) -> None:
        is_listed = one.followed.entry.state == "running" and self._is_asked(self._overview_asked)
        kept = is_listed or time.monotonic() - one.asked < KEPT
        if one.followed.is_whole and not kept:
            one.followed.forget()
            one.parts = one.shown = None

    def _show_overview(self) -> None:
        entries = sorted((one.followed.entry for one in self._studies.values()), key=lambda one: -(one.time or 0))
        shown = (entries, self._listed.links, self._listed.problem)
        if shown != self._overview_shown:
            links = [StudyEntry(name, self.root / name, "link", damage=_LINK) for name in self._listed.links]
            rows = [(address_of(entry.name), entry_view(entry)) for entry in entries]
            rows_of_links = [(None, entry_view(entry)) for entry in links]
            self._overview = list_parts(self.root, self._listed.problem, [*rows, *rows_of_links])
            self._overview_shown = shown

    def _order(self, followed: FollowedStudy) -> None:
        """Have a report computed where there is something new to say, and it is not yet too much of that."""
        report = followed.report
        if self._computing or not followed.is_whole:
            return
        if report is not None and (report.of == followed.revision or time.monotonic() < report.due):
            return
        opened = followed.for_report()
        if opened is not None:
            self._computing = True
            self._orders.put(_Order(followed, followed.folder, opened, followed.revision))

    def _compute(self) -> None:
        with plugins_left_out():
            while (order := self._orders.get()) is not None and not self._over.is_set():
                self._fill(order)
                del order  # with all that a report is computed from

    def _fill(self, order: _Order) -> None:
        order.followed.report = make_report(order.folder, order.opened, order.revision)
        self._computing = False


def _view(followed: FollowedStudy) -> StudyView:
    try:
        return study_view(followed)
    except Exception as error:  # whatever records of somebody else lead to
        return StudyView(f"damaged: {clean(str(error) or type(error).__name__)}")
