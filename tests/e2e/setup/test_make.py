"""What `make` does before any set-up, and that it knows when there is nothing to set up."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checkouts import ROOT, clean_environment, make, program, tools


def test_make_without_a_python_exits_with_2(tmp_path):
    root = tmp_path / "a b"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copy(ROOT / "Makefile", root)
    done = make(root, "sweep", PATH=str(tools(tmp_path / "bin")))
    assert done.returncode == 2
    assert "no suitable Python in PATH" in done.stderr
    assert "Found: none" in done.stderr


def test_make_lists_its_targets(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    listed = set(re.findall(r"^make ([a-z-]+) ", make(tmp_path).stdout, re.MULTILINE))
    assert {"sweep", "test", "test-slow", "check", "report", "submit", "bench", "clean", "help"} <= listed


def test_make_report_asks_for_the_folder(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    program(tmp_path / "scripts", "setup.sh", "exit 0")
    done = make(tmp_path, "report")
    assert done.returncode == 2
    assert "make report RUN=outputs/NAME" in done.stderr


@pytest.fixture
def complete(tmp_path) -> Path:
    """A checkout whose .venv holds a Python and the stamp of a complete set-up."""
    root = tmp_path / "a b"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", root / ".venv"), check=True)
    stamp = "import setup_venv as s; s.write_stamp(s.wanted_stamp())"
    subprocess.run((root / ".venv" / "bin" / "python", "-c", stamp), cwd=root / "scripts", check=True)
    return root


def setup_without_python(root: Path, path: Path) -> int:
    """Run the set-up where it can only find out that nothing is to be done: else it exits with 2."""
    command = ("sh", root / "scripts" / "setup.sh")
    return subprocess.run(command, env=clean_environment(PATH=str(path)), capture_output=True, cwd="/").returncode


def test_a_complete_set_up_is_left_alone_at_once(tmp_path, complete):
    path = tools(tmp_path / "bin")
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        assert setup_without_python(complete, path) == 0
        seconds.append(time.monotonic() - start)
    assert min(seconds) < 0.3


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "scripts/setup_venv.py"])
def test_a_changed_input_asks_for_a_set_up(tmp_path, complete, name):
    with (complete / name).open("a") as file:
        file.write("\n# changed\n")
    assert setup_without_python(complete, tools(tmp_path / "bin")) == 2


def test_a_moved_checkout_asks_for_a_set_up(tmp_path, complete):
    moved = complete.rename(tmp_path / "c d")
    assert setup_without_python(moved, tools(tmp_path / "bin")) == 2


def test_a_set_up_that_was_cut_off_is_not_complete(tmp_path, complete):
    (complete / ".venv" / "complete.json").write_text('{"root": "/')
    assert setup_without_python(complete, tools(tmp_path / "bin")) == 2
