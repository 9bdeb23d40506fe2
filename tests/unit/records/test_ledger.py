import json
import math
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    StudyFinished,
)
from actsweep.records import Ledger, read_ledger
from ledgers import EVENTS, START, write


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    write(tmp_path / "ledger.jsonl", EVENTS)
    assert read_ledger(tmp_path / "ledger.jsonl").events == tuple(EVENTS)


def test_a_loss_that_is_not_a_number_survives(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(
        path,
        [
            START,
            Evaluation(
                START.trial_id, 1, {"epoch": 1, "val_acc": 0.5, "val_loss": math.nan, "train_loss": -math.inf}, 0.0
            ),
        ],
    )
    row = read_ledger(path).events[1].row  # type: ignore[union-attr]
    assert math.isnan(row["val_loss"])
    assert row["train_loss"] == -math.inf


def test_every_line_is_strict_json(tmp_path: Path) -> None:
    write(tmp_path / "ledger.jsonl", EVENTS)
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    kinds = [json.loads(line, parse_constant=pytest.fail)["event"] for line in lines]
    assert kinds == [event.kind for event in EVENTS]


def test_a_ledger_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "ledger.jsonl").events == ()


def test_a_line_cut_off_at_any_byte_is_dropped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, EVENTS)
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        content = read_ledger(path)
        assert content.events == tuple(EVENTS[:-1])
        assert content.torn_bytes == end - start


def test_the_next_writer_cuts_a_torn_line_away(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, EVENTS)
    path.write_bytes(path.read_bytes()[:-5])
    write(path, [StudyFinished(8.0)])
    content = read_ledger(path)
    assert content.events == (*EVENTS[:-1], StudyFinished(8.0))
    assert content.torn_bytes == 0


def test_any_changed_byte_before_the_last_line_is_found_and_placed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, EVENTS[:3])
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for place in range(second, whole.index(b"\n", second)):
        for flip in (0x01, 0x80):
            damaged = bytearray(whole)
            damaged[place] ^= flip
            path.write_bytes(damaged)
            with pytest.raises(RecordsError, match=rf"line \d \(byte {second}\) is damaged|is damaged"):
                read_ledger(path)


@pytest.mark.parametrize(
    "changed",
    [
        lambda lines: [*lines[:3], *lines[4:]],
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
        lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
        lambda lines: lines[1:],
    ],
    ids=["missing", "twice there", "in another order", "begun too late"],
)
def test_whole_lines_cannot_go_come_or_move(tmp_path: Path, changed: Callable[[list[bytes]], list[bytes]]) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, EVENTS)
    path.write_bytes(b"".join(changed(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(RecordsError, match="is damaged, or lines before it are missing"):
        read_ledger(path)


def test_a_full_disk_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger(*EVENTS[:3])
        whole = path.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 40, limits[1]))
        try:
            with pytest.raises(OSError, match=str(path)):
                ledger(EVENTS[3])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert path.read_bytes() == whole
        ledger(EVENTS[3])
    assert read_ledger(path).events == tuple(EVENTS[:4])


def test_an_evaluation_is_on_the_disk_within_a_second_and_anything_else_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], []
    monkeypatch.setattr("actsweep.records.ledger.time.monotonic", lambda: now[0])
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        monkeypatch.setattr("actsweep.records.ledger.os.fsync", lambda descriptor: synced.append(now[0]))
        ledger(EVENTS[1])
        now[0] = 0.5
        ledger(EVENTS[2])
        now[0] = 0.9
        ledger.sync_if_due()
        now[0] = 1.0
        ledger.sync_if_due()
        now[0] = 3.0
        ledger.sync_if_due()  # there is nothing to bring
        monkeypatch.undo()
    assert synced == [0.0, 1.0]


class TestKnown:
    """A ledger that has not changed since it was read is not read again."""

    @pytest.mark.parametrize("torn", [b"", b'{"v":2,"ev'])
    def test_what_has_not_changed_is_as_it_was(self, tmp_path: Path, torn: bytes) -> None:
        path = tmp_path / "ledger.jsonl"
        write(path, EVENTS)
        path.write_bytes(path.read_bytes() + torn)
        known = read_ledger(path)
        assert read_ledger(path, known) is known
        with Ledger(path, known) as ledger:
            assert ledger.content is known
            ledger(EVENTS[1])
        assert read_ledger(path).events == (*EVENTS, EVENTS[1])

    def test_what_has_grown_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.jsonl"
        write(path, EVENTS[:3])
        known = read_ledger(path)
        write(path, EVENTS[3:])
        assert read_ledger(path, known).events == tuple(EVENTS)

    def test_what_was_changed_is_read_and_refused_also_at_the_same_size(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.jsonl"
        write(path, EVENTS)
        known = read_ledger(path)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(RecordsError, match="is damaged"):
            read_ledger(path, known)

    def test_what_is_gone_is_empty(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.jsonl"
        write(path, EVENTS)
        known = read_ledger(path)
        path.unlink()
        assert read_ledger(path, known).events == ()
