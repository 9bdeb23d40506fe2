"""Folders in which a study cannot be: one message, and nothing is left there."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.evidence import Command

WORDS = ("sweep", "experiment=smoke", "tracker=none")
NOBODY = 65534


def check_refused(done: subprocess.CompletedProcess[str], place: Path) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("actsweep: ")
    assert done.stderr.count("\n") == 1
    assert str(place) in done.stderr


def test_a_read_only_disk_is_refused(actsweep: Command, small_disk: Callable[[str], Path], tmp_path: Path) -> None:
    disk = small_disk("ro,size=16m")
    check_refused(actsweep(*WORDS, f"run.root={disk}", cwd=tmp_path), disk)


@pytest.mark.slow
def test_a_study_on_a_disk_that_became_read_only_is_refused(
    actsweep: Command, small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    disk = small_disk("size=64m")
    assert actsweep(*WORDS, f"run.root={disk}", cwd=tmp_path).returncode == 0
    small_disk("ro,size=64m")
    check_refused(actsweep("resume", str(disk / "smoke")), disk / "smoke")
    assert actsweep("status", str(disk / "smoke")).returncode == 0


def test_a_folder_below_a_file_is_refused(actsweep: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_refused(actsweep(*WORDS, f"run.root={tmp_path}/file/outputs", cwd=tmp_path), tmp_path / "file")


@pytest.mark.slow
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_study_of_another_user_is_refused(
    mode: int, python_for_all: str, actsweep: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = open_to_all(tmp_path_factory.mktemp("theirs"))
    assert actsweep(*WORDS, cwd=place).returncode == 0
    folder = place / "outputs" / "smoke"
    folder.chmod(mode)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    home = place / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    done = subprocess.run(
        [
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *(python_for_all, "-m", "actsweep", "resume", str(folder)),
        ],
        cwd=place,
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    check_refused(done, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def open_to_all(place: Path) -> Path:
    """A folder that other users reach, whatever the folders above it let through."""
    for folder in (place, *place.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
    return place
