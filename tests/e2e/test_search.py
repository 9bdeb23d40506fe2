"""Searches and early stopping on real Ray, and a factor other than the activation, all from configuration alone."""

import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pyarrow.parquet as pq
import pytest

import timeless
from actsweep.events import StopSpared, TrialFinished, TrialStarted, TrialStopped
from actsweep.records import read_ledger
from processes import count, kill_when

Command = Callable[..., subprocess.CompletedProcess[str]]
STUDY = (
    *("experiment=smoke", "search=tpe", "scheduler=asha", "trainer.epochs=4", "scheduler.reduction=2"),
    *("study.scientific.model.depth=[3,4]", "study.tune.blocks=2", "study.tune.points=8", "study.tune.spare=0.25"),
)


def ended(folder: Path) -> int:
    return count(folder, "finished") + count(folder, "stopped")


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_study_with_tpe_and_asha_killed_twice_runs_each_trial_once(actsweep: Command, tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "smoke"
    for trials, words in (
        (random.randint(5, 15), ("sweep", *STUDY)),
        (random.randint(25, 60), ("resume", str(folder))),
    ):
        kill_when(lambda: ended(folder) >= trials, tmp_path, *words)  # noqa: B023 - called in this turn alone
    done = actsweep("resume", str(folder), timeout=200)
    assert done.returncode == 0, done.stderr
    content = read_ledger(folder / "ledger.jsonl")
    ends = [event.trial_id for event in content.events if isinstance(event, TrialFinished | TrialStopped)]
    assert len(ends) == len(set(ends))
    record = content.fold()
    phases = Counter(trial.started.phase for trial in record.trials.values())
    assert phases == {"tune": 4 * 2 * 8, "replicate": 4 * 2 * 2}
    assert all(trial.has_result for trial in record.trials.values())
    assert {trial.status for trial in record.trials.values() if trial.started.phase == "replicate"} == {"completed"}
    _check_stopping(folder, content.events)
    _check_mirror(folder, record)


def _check_stopping(folder: Path, events: Any) -> None:
    results = json.loads((folder / "results.json").read_text())
    stopped = [event for event in events if isinstance(event, TrialStopped)]
    assert {event.rung for event in stopped} <= {1, 2}
    costs = results["study"]["stopping"]
    assert sum(cost["stopped"] for cost in costs) == len(stopped) > 0
    assert [cost["spared"] for cost in costs] == [2 * 2] * 4
    spared = {event.trial_id for event in events if isinstance(event, StopSpared)}
    assert sum(cost["spared_stopped"] for cost in costs) == len(spared)
    assert spared.isdisjoint(event.trial_id for event in stopped)
    table = pq.read_table(folder / "curves.parquet").to_pandas()
    assert table[table.status == "stopped"].rung.tolist() == table[table.status == "stopped"].epoch.tolist()


def _check_mirror(folder: Path, record: Any) -> None:
    storage = f"sqlite:///{folder / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(storage)
    states = Counter(trial.state.name for trial in optuna.load_study(study_name=name, storage=storage).trials)
    tuned = [trial for trial in record.trials.values() if trial.started.phase == "tune"]
    stopped = sum(trial.status == "stopped" for trial in tuned)
    assert states == {"COMPLETE": len(tuned) - stopped, "PRUNED": stopped}


@pytest.mark.slow
def test_a_tpe_study_does_not_depend_on_how_many_trials_run_at_a_time(actsweep: Command, tmp_path: Path) -> None:
    words = ("sweep", "experiment=smoke", "search=tpe", "study.tune.points=5", "search.startup=2", "tracker=none")
    curves = []
    for at_once in (1, 2):
        place = tmp_path / str(at_once)
        place.mkdir()
        assert actsweep(*words, f"cluster.max_concurrent={at_once}", cwd=place).returncode == 0
        curves.append(timeless.curves(place / "outputs" / "smoke"))
    assert curves[0].equals(curves[1])


@pytest.mark.parametrize(
    ("words", "factor", "arms", "reference"),
    [
        pytest.param(
            [
                "+study.scientific.optimizer.name=[adam,sgd]",
                "study.scientific.model.activation=null",
                "study.factor=optimizer.name",
            ],
            "name",
            ["adam", "sgd"],
            "adam",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                "+study.scientific.model.norm=[none,batch]",
                "study.scientific.model.activation=null",
                "study.scientific.model.depth=null",
            ],
            "norm",
            ["none", "batch"],
            "none",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                "study.arms={he: {model.activation: relu, model.init: he}, "
                "glorot: {model.activation: sigmoid, model.init: xavier, "
                "optimizer.lr: {distribution: log_uniform, min: 0.001, max: 1.0}}}",
                "study.replicate.cross=true",
                "study.tune.widen=1",
            ],
            "arm",
            ["he", "glorot"],
            "he",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["optimizers", "norms", "named arms"],
)
def test_anything_can_be_compared(
    actsweep: Command, tmp_path: Path, words: list[str], factor: str, arms: list[str], reference: str
) -> None:
    done = actsweep("sweep", "experiment=smoke", *words, "tracker=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "outputs" / "smoke"
    results = json.loads((folder / "results.json").read_text())
    assert (results["study"]["factor"], results["study"]["arms"]) == (factor, arms)
    assert results["study"]["reference"] == reference
    assert [cell[factor] for cell in results["cells"]] == arms
    assert {row["a"] for row in results["verdicts"]} | {row["b"] for row in results["verdicts"]} == set(arms)
    analyzed = actsweep(
        *("analyze", str(folder / "curves.parquet"), "--factor", factor, "--reference", reference, "--out", "analyzed"),
        *("--stratum", results["study"]["stratum"]),
        cwd=tmp_path,
    )
    assert analyzed.returncode == 0, analyzed.stderr
    again = json.loads((tmp_path / "analyzed" / "results.json").read_text())
    assert again["comparisons"] == results["comparisons"]


@pytest.mark.slow
def test_an_interrupted_tune_trial_goes_on_from_its_checkpoint(actsweep: Command, tmp_path: Path) -> None:
    """Killed in mid-trial, a trial does not begin at its first epoch again, and comes to the same curve."""
    words = ("experiment=smoke", "trainer.epochs=40", "cluster.max_concurrent=1", "study.tune.points=1", "tracker=none")
    folder = tmp_path / "outputs" / "smoke"
    kill_when(lambda: bool(list(folder.glob("trials/*/resume.ckpt"))), tmp_path, "sweep", *words)
    done = actsweep("resume", str(folder), timeout=200)
    assert done.returncode == 0, done.stderr
    again = [event for event in read_ledger(folder / "ledger.jsonl").events if isinstance(event, TrialStarted)]
    assert max(event.attempt for event in again) == 2
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert actsweep("sweep", *words, cwd=fresh, timeout=200).returncode == 0
    assert timeless.curves(folder).equals(timeless.curves(fresh / "outputs" / "smoke"))
