import json
import math
import zlib
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
)
from actsweep.records import Ledger, read_ledger
from ledgers import EVENTS, START, write


def signed(**tree: Any) -> bytes:
    """A first line that says anything, with the checksum that it has to have."""
    body = json.dumps({"v": 2, **tree}, separators=(",", ":")).encode()[:-1]
    return body + b',"crc":"%08x"}\n' % zlib.crc32(body)


@pytest.mark.parametrize(
    "line",
    [
        signed(event="resumed"),
        signed(event="resumed", finished=1, time=1.0, more=2),
        signed(event="resumed", finished="1", time=1.0),
        signed(event="no such", time=1.0),
        signed(event="study_started", name="x", data={"classes": 10}, versions={}, settings={}, time=1.0),
        signed(event=["resumed"], time=1.0),
        signed(event="finished", trial_id="../../etc/aa", attempt=1, status="completed", final={}, time=1.0),
        signed(event="finished", trial_id="0" * 12, attempt=0, status="completed", final={}, time=1.0),
        signed(event="finished", trial_id="0" * 12, attempt=1, status="won", final={}, time=1.0),
        signed(event="finished", trial_id="0" * 12, attempt=1, status="completed", final=3, time=1.0),
        signed(event="evaluation", trial_id="0" * 12, attempt=1, row={"epoch": 1, "val_acc": "high"}, time=1.0),
        signed(event="evaluation", trial_id="0" * 12, attempt=1, row={"val_acc": 0.5}, time=1.0),
        signed(event="evaluation", trial_id="0" * 12, attempt=1, row={"epoch": 1, "val_acc": 0, "x": [1]}, time=1.0),
        b"[" * 20_000 + b',"crc":"%08x"}\n' % zlib.crc32(b"[" * 20_000),
        b'{"v":2,"event":"resumed","finished":' + b"1" * 2**20 + b',"crc":"00000000"}\n',
    ],
)
def test_a_line_with_the_right_checksum_is_not_taken_on_trust(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(line)
    with pytest.raises(RecordsError, match=r"line 1 \(byte 0\) is (no event of a study|damaged)"):
        read_ledger(path)


def test_a_line_without_end_is_damage_and_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, EVENTS[:2])
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + 2**32)  # a hole, which takes no room on the disk
    with pytest.raises(RecordsError, match=r"line 3 \(byte \d+\) is damaged"):
        read_ledger(path)


def test_a_line_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setattr("actsweep.records.lines.FORMAT", 3)
    write(path, EVENTS[:1])
    monkeypatch.undo()
    with pytest.raises(RecordsError, match="another version of actsweep"):
        read_ledger(path)


def test_so_is_a_line_of_the_first_format_whose_checksum_is_of_itself_alone(tmp_path: Path) -> None:
    body = b'{"v":1,"event":"study_finished","time":1.0'
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(2 * (body + b',"crc":"%08x"}\n' % zlib.crc32(body)))
    with pytest.raises(RecordsError, match=r"line 1 \(byte 0\) was written by another version of actsweep"):
        read_ledger(path)
    whole = EVENTS[0]
    path.unlink()
    write(path, [whole])
    path.write_bytes(path.read_bytes() + body + b',"crc":"%08x"}\n' % zlib.crc32(body))
    with pytest.raises(RecordsError, match=r"line 2 .* was written by another version of actsweep; this one reads"):
        read_ledger(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("val_acc", -1e308),
        ("train_acc", 1.5),
        ("step", 0.5),
        ("step", math.nan),
        ("seconds", 2**70),
        ("train_loss", 10**400),
        ("wall", 1e308),
        ("seconds_from", 3),
    ],
)
def test_numbers_that_no_trial_measures_are_refused(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger(START, Evaluation("0" * 12, 1, {"epoch": 1, "val_acc": 0.5, name: value}, 3.0))
    with pytest.raises(RecordsError, match=f"line 2 .* is no event of a study: row: .*{name}"):
        read_ledger(path)
