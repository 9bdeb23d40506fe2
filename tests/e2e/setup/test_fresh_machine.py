"""The real thing: 3 GB and a minute each."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkouts import checkout, clean_environment, make

INTACT = """
import importlib.metadata, pathlib, sys
count = 0
for package in importlib.metadata.distributions():
    for file in package.files or sys.exit(f"no files recorded for {package.name}"):
        size = pathlib.Path(package.locate_file(file)).stat().st_size
        count += 1
        if file.size is not None and file.size != size:
            sys.exit(f"{file}: {size} bytes instead of {file.size}")
assert count > 10_000, count
import actsweep, torch, torchvision
"""


class Fresh:
    """A checkout in a folder with a space, and a home without any cache."""

    def __init__(self, folder: Path):
        self.home = folder / "home"
        self.home.mkdir()
        self.root = checkout(folder / "x y" / "actsweep")
        self.python = self.root / ".venv" / "bin" / "python"

    def setup(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return make(self.root, "setup", HOME=str(self.home), **variables)

    def start(self) -> subprocess.Popen[str]:
        """Start a set-up in a process group of its own."""
        command, environ = ("sh", "scripts/setup.sh"), clean_environment(HOME=str(self.home))
        return subprocess.Popen(
            command, cwd=self.root, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def assert_intact(self) -> None:
        done = subprocess.run((self.python, "-c", INTACT), capture_output=True, text=True, env=clean_environment())
        assert done.returncode == 0, done.stderr

    def forget(self) -> None:
        """Be a machine that never saw the project."""
        for folder in (self.home, self.root / ".venv"):
            shutil.rmtree(folder, ignore_errors=True)
        self.home.mkdir()

    def undo(self) -> None:
        (self.root / ".venv" / "complete.json").unlink(missing_ok=True)


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read what the set-up says until it says the text."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), f"never said {text!r}"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Iterator[Fresh]:
    folder = tmp_path_factory.mktemp("fresh")
    yield Fresh(folder)
    # Pytest would keep 14 GB for three runs.
    shutil.rmtree(folder)


@pytest.fixture
def ready(fresh) -> Fresh:
    """The checkout, set up; what one test downloaded serves the next."""
    done = fresh.setup()
    assert done.returncode == 0, done.stderr
    return fresh


@pytest.mark.slow
@pytest.mark.timeout(1200)
class TestFreshMachine:
    def test_a_download_cut_off_goes_on(self, fresh):
        fresh.forget()
        process = fresh.start()
        wait_for(process, "Downloading torch ")
        time.sleep(2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        done = fresh.setup()
        assert done.returncode == 0, done.stderr
        fresh.assert_intact()

    def test_from_nothing_within_two_minutes(self, fresh):
        fresh.forget()
        start = time.monotonic()
        done = fresh.setup()
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - start < 120
        assert "about 3 GB to download and 7 GB on disk" in done.stderr
        fresh.assert_intact()

    def test_scripts_run_from_a_folder_with_a_space(self, ready):
        for name in ("pytest", "ruff", "lint-imports"):
            done = subprocess.run((ready.root / ".venv" / "bin" / name, "--version"), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def test_a_second_time_takes_no_time(self, ready):
        start = time.monotonic()
        done = ready.setup()
        assert (done.returncode, done.stderr) == (0, "")
        assert time.monotonic() - start < 0.3

    def test_killed_at_any_moment_and_again_it_completes(self, ready):
        for seconds in (0.3, 1, 2, 4, 5, 6, 7, 8, 10, 15):
            ready.undo()
            process = ready.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        done = ready.setup()
        assert done.returncode == 0, done.stderr
        ready.assert_intact()

    def test_an_update_killed_midway_completes(self, ready):
        with (ready.root / "pyproject.toml").open("a") as file:
            file.write("\n# changed\n")
        process = ready.start()
        wait_for(process, "updating .venv")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert ready.setup().returncode == 0
        ready.assert_intact()

    def test_an_installer_left_behind_is_waited_for(self, ready):
        ready.undo()
        process = ready.start()
        wait_for(process, "Installed ")
        os.kill(process.pid, signal.SIGKILL)
        done = ready.setup()
        assert done.returncode == 0, done.stderr
        assert "another set-up is at work" in done.stderr
        ready.assert_intact()

    def test_two_at_once_do_the_work_once(self, ready):
        ready.undo()
        both = [ready.start(), ready.start()]
        said = [process.communicate()[1] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert sorted("setting up .venv" in text for text in said) == [False, True]
        ready.assert_intact()

    def test_without_a_network_the_way_to_go_on_is_told(self, ready, tmp_path):
        ready.undo()
        done = ready.setup(
            UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", UV_CACHE_DIR=str(tmp_path), UV_HTTP_RETRIES="0"
        )
        assert done.returncode == 2
        assert "run the same command again" in done.stderr
        assert ready.setup().returncode == 0
