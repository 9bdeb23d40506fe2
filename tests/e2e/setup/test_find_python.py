"""Finding a Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from checkouts import PROJECT, ROOT, program


def find_python(*folders: Path) -> subprocess.CompletedProcess[str]:
    command = (shutil.which("sh"), ROOT / "scripts" / "find_python.sh")
    return subprocess.run(command, env={"PATH": os.pathsep.join(map(str, folders))}, capture_output=True, text=True)


def test_the_newest_python_is_taken(tmp_path):
    program(tmp_path, "python3.11", "echo 3.11.9")
    newest = program(tmp_path, "python3.13", "echo 3.13.1")
    program(tmp_path, "python3", "echo 3.11.9")
    assert find_python(tmp_path).stdout == f"{newest}\n"


def test_a_stub_that_fails_is_passed_over_for_the_same_name_further_down(tmp_path):
    program(tmp_path / "a b", "python3.12", "echo 'command not found' >&2; exit 127")
    works = program(tmp_path / "c d", "python3.12", "echo 3.12.4")
    found = find_python(tmp_path / "a b", tmp_path / "c d")
    assert (found.stdout, found.stderr) == (f"{works}\n", "")


def test_a_python_that_cannot_make_a_venv_is_passed_over(tmp_path):
    program(tmp_path, "python3.13", "echo 3.13.1 ensurepip")
    works = program(tmp_path, "python", "echo 3.11.2")
    assert find_python(tmp_path).stdout == f"{works}\n"


def test_a_real_python_answers_the_question(tmp_path):
    real = program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    assert find_python(tmp_path).stdout == f"{real}\n"


@pytest.mark.parametrize(
    "version", ["2.7.18", "3.1.0", "3.10.99", "3.11.0", "3.11.15", "3.12.8", "3.13.0", "3.14.0", "4.0.0"]
)
def test_the_accepted_versions_are_those_of_the_package(tmp_path, version):
    program(tmp_path, "python3", f"echo {version}")
    accepted = version in SpecifierSet(PROJECT["project"]["requires-python"])
    assert find_python(tmp_path).returncode == (0 if accepted else 2)


def test_without_a_python_one_message_names_what_was_found_and_what_is_accepted(tmp_path):
    stub = program(tmp_path, "python3.12", "exit 1")
    old = program(tmp_path, "python3", "echo 3.10.2")
    bare = program(tmp_path, "python", "echo 3.11.4 ensurepip")
    found = find_python(tmp_path)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert "3.11, 3.12 or 3.13" in found.stderr
    for text in (f"{stub} (does not run)", f"{old} (3.10.2)", f"{bare} (3.11.4 without ensurepip)"):
        assert text in found.stderr
