"""A disk that fills while a study runs on it, or that was too small from the beginning."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.evidence import STUDY, Command, check_like, check_no_epoch_trained_twice, outcome_of, resume
from processes import count, start, wait_for

Disk = Callable[[str], Path]


def fill(disk: Path) -> Path:
    """A file of somebody else's that takes all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue
    return ballast


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("way", ["freed", "enlarged"])
def test_a_study_on_a_disk_that_fills_goes_on_once_there_is_room(
    way: str, actsweep: Command, undisturbed: Path, small_disk: Disk, tmp_path: Path
) -> None:
    disk = small_disk("size=64m")
    folder = disk / "smoke"
    running = start(tmp_path, "sweep", *STUDY, f"run.root={disk}")
    wait_for(lambda: count(folder, "finished") >= 3, 120, running)
    ballast = fill(disk)
    code, errors = outcome_of(running, 120)
    assert code == 130, errors
    assert errors.count("\n") == 1
    assert f"actsweep resume {folder}" in errors
    assert "No space left on device" in errors
    verified = actsweep("verify", str(folder))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    if way == "freed":
        ballast.unlink()
    else:
        small_disk("size=128m")
    resume(actsweep, folder)
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)


@pytest.mark.slow
def test_a_disk_without_room_for_the_study_is_refused_before_anything_runs(
    actsweep: Command, small_disk: Disk, tmp_path: Path
) -> None:
    disk = small_disk("size=256k")
    done = actsweep("sweep", *STUDY, f"run.root={disk}", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "run.root" in done.stderr
    assert "free" in done.stderr
    assert list(disk.iterdir()) == []
