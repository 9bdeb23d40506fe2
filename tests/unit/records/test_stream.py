"""The one stream of a study's events."""

from pathlib import Path

import pytest

from actsweep.events import Event, StudyFinished, StudyResumed
from actsweep.records import EventStream, Ledger, read_ledger


def test_every_event_is_in_the_ledger_before_any_subscriber_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    heard: list[tuple[str, Event, int]] = []
    with Ledger(path) as ledger:
        stream = EventStream(ledger, [lambda event: heard.append(("first", event, len(read_ledger(path).events)))])
        stream(StudyResumed(0, 1.0), StudyFinished(2.0))
        stream.subscribe(lambda event: heard.append(("later", event, len(read_ledger(path).events))))
        stream(StudyResumed(1, 3.0))
    assert heard == [
        ("first", StudyResumed(0, 1.0), 2),
        ("first", StudyFinished(2.0), 2),
        ("first", StudyResumed(1, 3.0), 3),
        ("later", StudyResumed(1, 3.0), 3),
    ]


def test_its_record_goes_on_from_what_the_ledger_held(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger(StudyFinished(1.0))
    with Ledger(path) as ledger:
        stream = EventStream(ledger, [])
        assert (stream.history, stream.record.finished) == ((StudyFinished(1.0),), True)
        stream(StudyResumed(0, 2.0))
        assert not stream.record.finished


def test_a_tick_brings_what_is_due_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    due: list[bool] = []
    monkeypatch.setattr(Ledger, "sync_if_due", lambda ledger: due.append(True))
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        EventStream(ledger, []).tick()
    assert due == [True]
