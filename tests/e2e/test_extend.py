"""Adding to a finished study: what is there stays, what is new runs, and each look is counted."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import timeless
from actsweep.events import StudyExtended, TrialStarted
from actsweep.records import read_ledger

Command = Callable[..., subprocess.CompletedProcess[str]]
MORE = ("experiment=smoke", "study.replicate.seeds=3", "study.scientific.model.activation=[relu,sigmoid,tanh]")


@pytest.fixture
def copy(smoke: Any, tmp_path: Path) -> Path:
    """The finished smoke study, to be added to."""
    folder = tmp_path / "outputs" / "smoke"
    shutil.copytree(smoke.folder, folder)
    return folder


def test_additions_need_to_be_asked_for(actsweep: Command, copy: Path, tmp_path: Path) -> None:
    before = (copy / "ledger.jsonl").read_bytes()
    refused = actsweep("sweep", *MORE, cwd=tmp_path)
    assert refused.returncode == 2
    assert "study.replicate.seeds: 2 there, 3 asked" in refused.stderr
    assert "--extend" in refused.stderr
    assert (copy / "ledger.jsonl").read_bytes() == before


def test_what_is_no_addition_is_refused_and_shown(actsweep: Command, copy: Path, tmp_path: Path) -> None:
    refused = actsweep("sweep", "--extend", *MORE, "trainer.epochs=3", cwd=tmp_path)
    assert refused.returncode == 2
    assert "trainer.epochs: 2 there, 3 asked" in refused.stderr
    assert "study.replicate.seeds" not in refused.stderr


def test_there_must_be_a_study_to_extend(actsweep: Command, tmp_path: Path) -> None:
    refused = actsweep("sweep", "--extend", "experiment=smoke", "run.name=typo", cwd=tmp_path)
    assert refused.returncode == 2
    assert "holds no study yet" in refused.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_seeds_and_arms_are_added_and_nothing_runs_twice(actsweep: Command, copy: Path, tmp_path: Path) -> None:
    there = set(read_ledger(copy / "ledger.jsonl").fold().trials)
    done = actsweep("sweep", "--extend", *MORE, "tracker=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = read_ledger(copy / "ledger.jsonl").events
    started = [event.trial_id for event in events if isinstance(event, TrialStarted)]
    assert len(started) == len(set(started)) == 3 * (2 + 3)
    assert there < set(started)
    (extended,) = [event for event in events if isinstance(event, StudyExtended)]
    assert extended.look == 2
    results = json.loads((copy / "results.json").read_text())
    assert (results["study"]["looks"], results["study"]["arms"]) == (2, ["relu", "sigmoid", "tanh"])
    assert results["study"]["level"] == pytest.approx(1 - 0.05 / (10 * 2 * 2))
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert actsweep("sweep", *MORE, "tracker=none", cwd=fresh).returncode == 0
    assert timeless.curves(copy).equals(timeless.curves(fresh / "outputs" / "smoke"))


@pytest.mark.slow
def test_a_block_whose_best_point_changes_is_replicated_anew(actsweep: Command, copy: Path, tmp_path: Path) -> None:
    words = ("experiment=smoke", "study.tune.points=6", "tracker=none")
    assert actsweep("sweep", "--extend", *words, cwd=tmp_path).returncode == 0
    results = json.loads((copy / "results.json").read_text())
    assert results["study"]["trials"] == results["study"]["trials"] | {"tune": 12, "replicate": 4}
    assert all(len(cell["lrs"]) == 1 for cell in results["cells"])
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert actsweep("sweep", *words, cwd=fresh).returncode == 0
    assert timeless.curves(copy).equals(timeless.curves(fresh / "outputs" / "smoke"))
