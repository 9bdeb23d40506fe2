"""One attempt may write until the next has begun, whatever the order in which the two come to run."""

import errno
import os
from pathlib import Path

import pytest

from actsweep.errors import OutdatedError
from actsweep.records import Attempt, attempt_logs, latest_attempt


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".log"}


def test_an_attempt_begins_with_its_log_which_says_where_it_runs(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path / "trial")
    assert latest_attempt(attempt.folder) == 0
    attempt.begin()
    attempt.note("something went on")
    first, second = attempt.log.read_text().splitlines()
    assert f"attempt 1 begins on {os.uname().nodename}, pid {os.getpid()}" in first
    assert second.endswith(" something went on")
    assert latest_attempt(attempt.folder) == 1


def test_no_secret_comes_into_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "a-canary-in-a-mine")
    attempt = Attempt(tmp_path)
    attempt.note("Traceback: token a-canary-in-a-mine is not accepted")
    assert attempt.log.read_text().endswith("token [redacted] is not accepted\n")


def test_logs_come_in_the_order_of_their_attempts_and_nothing_else_is_one(tmp_path: Path) -> None:
    for name in ("attempt-10.log", "attempt-9.log", "attempt-.log", "attempt-1.log.1", "attempt-x.log"):
        (tmp_path / name).touch()
    assert [log.name for log in attempt_logs(tmp_path)] == ["attempt-9.log", "attempt-10.log"]
    assert latest_attempt(tmp_path) == 10


def test_no_two_attempts_have_one_number_and_none_begins_after_a_later_one(tmp_path: Path) -> None:
    Attempt(tmp_path, 2).begin()
    for number in (1, 2):
        with pytest.raises(OutdatedError):
            Attempt(tmp_path, number).begin()


def test_an_outdated_attempt_writes_and_removes_nothing(tmp_path: Path) -> None:
    old, new = Attempt(tmp_path), Attempt(tmp_path, 2)
    old.begin()
    old.replace("last.ckpt", b"old")
    new.begin()
    with pytest.raises(OutdatedError):
        old.replace("last.ckpt", b"older")
    with pytest.raises(OutdatedError):
        old.remove("last.ckpt")
    assert content(tmp_path) == {"last.ckpt": b"old"}
    new.replace("last.ckpt", b"new", durable=True)
    assert content(tmp_path) == {"last.ckpt": b"new"}


def test_a_file_is_removed_together_with_what_an_attempt_left_half_written_of_it(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path)
    attempt.begin()
    attempt.replace("resume.ckpt", b"weights")
    (tmp_path / ".resume.ckpt.1").write_bytes(b"half")
    attempt.remove("resume.ckpt")
    attempt.remove("resume.ckpt")  # as where the trial was resumed after it had ended
    assert [path.name for path in tmp_path.iterdir()] == ["attempt-1.log"]


def test_an_attempt_frozen_right_before_its_file_takes_its_place_comes_too_late(tmp_path: Path) -> None:
    """It has looked already, and found no later attempt."""

    class Frozen(Attempt):
        def _require_latest(self) -> None:
            super()._require_latest()
            if self.number == 1 and not new.log.exists():
                new.begin()
                new.replace("last.ckpt", b"new")

    new = Attempt(tmp_path, 2)
    with pytest.raises(OutdatedError):
        Frozen(tmp_path).replace("last.ckpt", b"old")
    assert content(tmp_path) == {"last.ckpt": b"new"}


def test_what_a_killed_attempt_left_half_written_goes_when_the_next_begins(tmp_path: Path) -> None:
    (tmp_path / ".resume.ckpt.1").write_bytes(b"half")
    (tmp_path / "notes.1").touch()
    Attempt(tmp_path, 2).begin()
    assert content(tmp_path) == {"notes.1": b""}


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    folder = tmp_path / "trial"
    folder.mkdir()
    for name in ("attempt-1.log", ".last.ckpt.1"):
        (folder / name).symlink_to(outside)
    attempt = Attempt(folder)
    with pytest.raises(OSError, match="symbolic links") as caught:
        attempt.note("x")
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(OSError, match=r"last\.ckpt"):
        attempt.replace("last.ckpt", b"x")
    assert outside.read_bytes() == b"mine"


def test_where_there_is_no_folder_no_attempt_has_begun(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [latest_attempt(tmp_path / name) for name in ("missing", "file")] == [0, 0]
