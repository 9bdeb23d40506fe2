"""What tuning comes to is published once, and again where an addition to the study has opened it.

Also: what the operating system refuses to the driver is told from a defect.
"""

import errno
import traceback
from pathlib import Path

from actsweep.events import Event, PointChosen, RangeWidened, StudyExtended
from actsweep.records import EventStream, Ledger
from actsweep.search.run import _Announcer, _of_the_system

CHOICE = PointChosen({"model.activation": "relu"}, 0, {"optimizer.lr": 0.01}, 1.0)
OTHER = PointChosen({"model.activation": "relu"}, 0, {"optimizer.lr": 0.02}, 2.0)
GROWTH = RangeWidened("optimizer.lr", "high", 1.0)


def published(path: Path, before: list[Event], announced: list[PointChosen | RangeWidened]) -> list[Event]:
    """The events that a driver publishes after those of an earlier one."""
    with Ledger(path) as ledger:
        ledger(*before)
    events: list[Event] = []
    with Ledger(path) as ledger:
        announcer = _Announcer(EventStream(ledger, [events.append]))
        for event in announced:
            announcer(event)
    return events


def test_what_is_known_is_not_published_again(tmp_path: Path) -> None:
    assert published(tmp_path / "a", [GROWTH, CHOICE], [GROWTH, GROWTH, CHOICE, OTHER]) == [GROWTH, OTHER]


def test_a_choice_holds_again_after_an_addition(tmp_path: Path) -> None:
    extended = StudyExtended(2, [("study.tune.points", 2, 4)], {}, 1.0)
    assert published(tmp_path / "a", [CHOICE, extended], [CHOICE, CHOICE]) == [CHOICE]


FULL = OSError(errno.ENOSPC, "No space left on device", "/study/ledger.jsonl")


def test_what_the_system_refuses_is_told_from_a_defect_also_in_the_text_that_tune_makes_of_it() -> None:
    wrapped = RuntimeError("".join(traceback.format_exception(FULL)))
    for error in (FULL, wrapped):
        assert _of_the_system(error) == "[Errno 28] No space left on device: '/study/ledger.jsonl'"
    assert _of_the_system(RuntimeError("OSError is no word of a traceback here")) is None
    assert _of_the_system(KeyError("[Errno 28]")) is None
