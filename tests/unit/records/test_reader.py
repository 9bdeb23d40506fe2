"""A ledger read while it grows, is cut off, is damaged or is replaced."""

import os
import shutil
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.events import Evaluation, Event, StudyFinished, StudyStarted, TrialStarted
from actsweep.records import Ledger, LedgerReader, read_ledger

TRIAL = "0" * 12
EVENTS: list[Event] = [
    StudyStarted("x", {"label": "digits", "fingerprint": "f", "classes": 10}, {"torch": "2"}, {"seed": 1}, 1.0),
    TrialStarted(TRIAL, 1, "tune", 0, 7, {"model.activation": "relu"}, {"optimizer.lr": 0.01}, 2.0),
    *(Evaluation(TRIAL, 1, {"epoch": epoch, "val_acc": 0.1 * epoch}, 3.0 + epoch) for epoch in range(5)),
]
END = StudyFinished(99.0)


def write(path: Path, *events: Event) -> None:
    with Ledger(path) as ledger:
        ledger(*events)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    write(path, *EVENTS)
    return path


@pytest.fixture
def reader(ledger: Path) -> LedgerReader:
    """One that has read all there is."""
    reader = LedgerReader(ledger)
    assert reader.read().events == tuple(EVENTS)
    return reader


def test_each_look_brings_what_was_appended_since(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    reader = LedgerReader(path)
    assert (reader.read().events, reader.read().events) == ((), ())
    for number, event in enumerate(EVENTS):
        write(path, event)
        news = reader.read()
        assert (news.events, news.anew, news.more) == ((event,), number == 0, False)
        assert reader.read().events == ()
    content = read_ledger(path)
    assert (reader.lines, reader.crc, reader.file_crc, reader.size) == (
        len(EVENTS),
        content.crc,
        content.file_crc,
        content.size,
    )


def test_a_look_may_be_told_how_many_lines_to_read(ledger: Path) -> None:
    reader = LedgerReader(ledger)
    looks = []
    while True:
        looks.append(reader.read(3))
        if not looks[-1].more:
            break
    assert [len(look.events) for look in looks] == [3, 3, 1]
    assert [look.anew for look in looks] == [True, False, False]
    assert tuple(event for look in looks for event in look.events) == tuple(EVENTS)


def test_a_torn_line_waits_until_it_is_whole(ledger: Path, reader: LedgerReader) -> None:
    before = ledger.read_bytes()
    write(ledger, END)
    line = ledger.read_bytes()[len(before) :]
    for cut in range(len(line)):
        ledger.write_bytes(before + line[:cut])
        assert (reader.read().events, reader.torn) == ((), line[:cut])
    ledger.write_bytes(before + line)
    news = reader.read()
    assert (news.events, news.anew, reader.torn) == ((END,), False, b"")


def test_the_next_driver_cuts_a_torn_line_away_and_goes_on(ledger: Path, reader: LedgerReader) -> None:
    with ledger.open("ab") as file:
        file.write(b'{"v":2,"event":"eval')
    assert reader.read().events == ()
    write(ledger, END)
    news = reader.read()
    assert (news.events, news.anew) == ((END,), False)


def test_a_file_that_was_copied_over_itself_is_the_same(ledger: Path, reader: LedgerReader, tmp_path: Path) -> None:
    shutil.copy(ledger, tmp_path / "copy")
    (tmp_path / "copy").replace(ledger)
    assert reader.read().events == ()
    write(ledger, END)
    assert reader.read().events == (END,)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("longer", [True, False])
def test_another_ledger_is_read_from_its_beginning(
    ledger: Path, reader: LedgerReader, tmp_path: Path, in_place: bool, longer: bool
) -> None:
    other = tmp_path / "other.jsonl"
    events = [StudyFinished(0.5), *EVENTS[:2], *EVENTS[2:] * (2 if longer else 0)]
    write(other, *events)
    if in_place:
        ledger.write_bytes(other.read_bytes())
    else:
        other.replace(ledger)
    news = reader.read()
    assert (news.events, news.anew) == (tuple(events), True)


def test_a_ledger_that_was_shortened_is_read_from_its_beginning(ledger: Path, reader: LedgerReader) -> None:
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:3]))
    news = reader.read()
    assert (news.events, news.anew) == (tuple(EVENTS[:3]), True)


def test_one_that_is_gone_is_empty_and_may_come_back(ledger: Path, reader: LedgerReader) -> None:
    kept = ledger.read_bytes()
    ledger.unlink()
    assert (reader.read().events, reader.size) == ((), 0)
    ledger.write_bytes(kept)
    assert reader.read().events == tuple(EVENTS)


def test_damage_in_what_is_new_is_placed_and_raised_until_it_is_mended(ledger: Path, reader: LedgerReader) -> None:
    before = ledger.read_bytes()
    write(ledger, END)
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:-5] + b"x" + whole[-4:])
    for _ in range(2):
        with pytest.raises(RecordsError, match=rf"line {len(EVENTS) + 1} \(byte {len(before)}\) is damaged"):
            reader.read()
    ledger.write_bytes(whole)
    news = reader.read()
    assert (news.events, news.anew) == ((*EVENTS, END), True)


@pytest.mark.parametrize("grows", [True, False])
def test_damage_in_what_was_read_is_found(ledger: Path, reader: LedgerReader, grows: bool) -> None:
    content = bytearray(ledger.read_bytes())
    if grows:
        write(ledger, END)
        content = bytearray(ledger.read_bytes())
    content[len(content) // 3] ^= 1
    ledger.write_bytes(content)
    with pytest.raises(RecordsError, match="is damaged"):
        reader.read()


def test_neither_links_nor_pipes_are_read(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ledger)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordsError, match="is a link"):
        LedgerReader(tmp_path / "link").read()
    with pytest.raises(RecordsError, match="is no file"):
        LedgerReader(tmp_path / "pipe").read()


def test_what_the_system_refuses_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File name too long"):
        LedgerReader(tmp_path / ("x" * 300)).read()


def test_a_change_at_the_beginning_of_a_long_ledger_is_noticed_though_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, *EVENTS, *(EVENTS[2:] * 20))
    reader = LedgerReader(path)
    assert (reader.read().anew, path.stat().st_size > 2**12) == (True, True)
    write(path, END)
    assert (reader.read().events, reader.read().events) == ((END,), ())
    path.write_bytes(path.read_bytes().replace(b'"name":"x"', b'"name":"y"') + b"\n")
    with pytest.raises(RecordsError, match="line 1 "):
        reader.read()
