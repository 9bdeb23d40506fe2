import os
import subprocess
from pathlib import Path

import pytest

from actsweep.system.surroundings import git_state, surroundings


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "file").write_text("one")
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for words in (("init", "-q"), ("add", "file"), (*author, "commit", "-q", "-m", "begin")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_the_commit_is_told_and_what_differs_from_it(repository: Path) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True)
    assert git_state(repository) == commit.stdout[:12]
    (repository / "file").write_text("two")
    (repository / "new").write_text("a file that git does not know")
    assert git_state(repository) == f"{commit.stdout[:12]} with 1 file changed since"


def test_outside_of_a_repository_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == ""


def test_a_program_that_a_repository_names_is_not_run(repository: Path) -> None:
    trap = repository / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{repository}/ran'\n")
    trap.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(trap)], cwd=repository, check=True)
    git_state(repository)
    assert not (repository / "ran").exists()


def test_without_git_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == ""


def test_the_cluster_is_told_in_words() -> None:
    found = surroundings(
        {"CPU": 64.0, "GPU": 8.0, "accelerator_type:H100": 2.0, "node:10.0.0.1": 1.0, "node:10.0.0.2": 1.0}
        | {"node:__internal_head__": 1.0, "memory": 1e11}
    )
    assert found["cluster"] == "2 nodes, 64 CPU, 8 GPU (H100)"
    assert found["Python"].startswith("3.")
    assert not [said for said in found.values() if os.uname().nodename in said]
