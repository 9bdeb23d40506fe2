import errno
import fcntl
import multiprocessing
import threading
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.records import Ledger, held, is_held, read_ledger
from ledgers import START, write


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
