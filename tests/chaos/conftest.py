"""Studies that are killed, frozen, starved and misled; whole commands, with real Ray."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("chaos.evidence")

from chaos.evidence import FOLDER, STUDY, Command  # noqa: E402 - its assertions are to be told in full


@pytest.fixture(scope="session")
def undisturbed(actsweep: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study that nothing happened to."""
    place = tmp_path_factory.mktemp("undisturbed")
    done = actsweep("sweep", *STUDY, cwd=place, timeout=280)
    assert done.returncode == 0, done.stderr
    return place / FOLDER


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A folder that is a file system of its own in memory, mounted with the options given, or mounted anew."""
    point = tmp_path / "disk"
    point.mkdir()

    def mount(options: str) -> Path:
        again = "remount," if point.is_mount() else ""
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", str(point)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"cannot mount here ({done.stderr.strip()}); `unshare -Urm make test-slow` can")
        return point

    yield mount
    if point.is_mount():
        subprocess.run(["umount", str(point)], check=True)


@pytest.fixture(scope="session")
def python_for_all() -> str:
    """This Python, if another user of the machine may run it."""
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", "import actsweep"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"cannot run as another user here: {done.stderr.strip().splitlines()[-1]}")
    return sys.executable
