import errno
import fcntl
import json
import math
import multiprocessing
import resource
import signal
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    StepCost,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Ledger, LedgerContent, held, is_held, read_ledger

START = TrialStarted("0" * 12, 1, "tune", 0, 7, {"model.activation": "relu"}, {"optimizer.lr": 0.01}, 2.0)
EVENTS: list[Event] = [
    StudyStarted("x", {"label": "digits", "fingerprint": "f", "classes": 10}, {"torch": "2"}, {"seed": 1}, 1.0),
    START,
    Evaluation(START.trial_id, 1, {"epoch": 0, "val_acc": 0.1, "train_loss": 0.1 + 0.2}, 3.0),
    Evaluation(START.trial_id, 1, {"epoch": 1, "val_acc": 0.5, "train_loss": math.inf}, 3.5),
    TrialFailed(START.trial_id, 1, "lost", 'the "worker" ended', True, 4.0),
    StudyResumed(0, 5.0),
    TrialFinished(START.trial_id, 2, "completed", {"test_acc": 1 / 3}, 6.0),
    StepCost(START.trial_id, 2.5, 6.5),
    StudyFinished(7.0),
]


def write(path: Path, events: list[Event]) -> None:
    with Ledger(path) as ledger:
        for event in events:
            ledger(event)


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


def _open(path: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with Ledger(path):
            answers.put("opened")
    except RecordsError as error:
        answers.put(str(error))


def test_a_second_writer_is_refused_by_the_pid_of_the_first(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    with Ledger(tmp_path / "ledger.jsonl"):
        other = context.Process(target=_open, args=(tmp_path / "ledger.jsonl", answers))
        other.start()
        answer = answers.get(timeout=60)
        other.join(60)
    import os

    assert f"in use by another actsweep (pid {os.getpid()} on " in answer


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path / "ledger.jsonl", [START])
    assert len(read_ledger(tmp_path / "ledger.jsonl").events) == 2


def test_a_look_at_the_lock_refuses_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, [START])
    with path.with_suffix(".lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.02, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        write(path, [START])
    assert len(read_ledger(path).events) == 2


def test_a_second_writer_is_refused_for_as_long_as_the_first_holds_the_study(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with held(path):
        assert is_held(path)
        with pytest.raises(RecordsError, match=r"in use by another actsweep \(pid \d+ on .+\); wait for it, or end it"):
            write(path, [START])
    assert not is_held(path)
    write(path, [START])


def test_a_study_that_never_was_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "ledger.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_damaged_is_not_left_locked(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("no event\n")
    with pytest.raises(RecordsError, match="is damaged"):
        write(path, [START])
    path.unlink()
    write(path, [START])


def test_where_files_cannot_be_locked_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, [START])

    def cannot(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", cannot)
    with pytest.raises(RecordsError, match=r"cannot lock files \(No locks available\); choose another run\.root"):
        write(path, [START])
    assert not is_held(path)
    assert len(read_ledger(path).events) == 1


def test_a_lock_that_its_holder_removed_in_the_end_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = tmp_path / "ledger.jsonl", tmp_path / "ledger.lock"
    flock, removed = fcntl.flock, []

    def after_its_removal(descriptor: int, how: int) -> None:
        if not removed:
            removed.append(lock.unlink())
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", after_its_removal)
    with held(path):
        assert is_held(path)


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


class TestFold:
    def test_a_new_attempt_starts_from_nothing(self, tmp_path: Path) -> None:
        second = replace(START, attempt=2)
        late = Evaluation(START.trial_id, 1, {"epoch": 2, "val_acc": 0.9}, 9.0)
        row = Evaluation(START.trial_id, 2, {"epoch": 0, "val_acc": 0.2}, 9.0)
        write(tmp_path / "l.jsonl", [*EVENTS[:5], second, late, row])
        record = read_ledger(tmp_path / "l.jsonl").fold()
        trial = record.trials[START.trial_id]
        assert (trial.status, trial.rows) == ("running", [row.row])

    def test_the_end_counts_for_its_own_attempt_only(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", EVENTS)
        trial = read_ledger(tmp_path / "l.jsonl").fold().trials[START.trial_id]
        assert (trial.status, trial.has_result) == ("waiting", False)

    def test_a_study_is_finished_until_it_is_resumed(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", EVENTS)
        assert read_ledger(tmp_path / "l.jsonl").fold().finished
        write(tmp_path / "l.jsonl", [StudyResumed(1, 9.0)])
        assert not read_ledger(tmp_path / "l.jsonl").fold().finished

    def test_what_a_lost_driver_left_running_waits_for_another_attempt(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", [START, StudyResumed(0, 9.0)])
        assert read_ledger(tmp_path / "l.jsonl").fold().trials[START.trial_id].status == "waiting"


def test_a_line_whose_beginning_is_missing_is_noticed() -> None:
    with pytest.raises(RecordsError, match="line 1 is of trial 'abc', which has not begun"):
        LedgerContent((Evaluation("abc", 1, {"epoch": 0}, 0.0),), 0).fold()


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
