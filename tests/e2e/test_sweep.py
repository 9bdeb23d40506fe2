import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import timeless
from actsweep.data import prepare
from actsweep.events import Evaluation, TrialFinished, TrialStarted
from actsweep.records import read_ledger
from processes import busiest_worker, count, kill_when, start, wait_for

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_sweep_ends_well_and_says_where_things_are(smoke: Any) -> None:
    assert smoke.done.returncode == 0, smoke.done.stderr
    assert smoke.done.stderr == ""
    for name in ("report.html", "results.json", "curves.parquet"):
        assert (smoke.folder / name).is_file()
        assert name in smoke.done.stdout
    assert "relu" in smoke.done.stdout
    assert "sigmoid" in smoke.done.stdout


def test_ray_and_wandb_keep_quiet(smoke: Any) -> None:
    for word in ("ray", "wandb:", "WARNING", "INFO", "pid=", "Traceback", "\x1b"):
        assert word not in smoke.done.stdout


WITHOUT_TORCH = """
import sys
from actsweep.cli import run
code = run(sys.argv[1:])
print("loaded:", *sorted({"torch", "pytorch_lightning", "torchvision", "sklearn"} & set(sys.modules)))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def costed(compose: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The smallest study with the cost of a step, by a driver that says what it has loaded; and its folder."""
    prepare(compose("experiment=smoke").data)  # images that are decoded already
    place = tmp_path_factory.mktemp("costed")
    words = ("sweep", "experiment=smoke", "study.measure_cost=true", f"run.root={place}")
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False), place / "smoke"


def test_a_driver_trains_nothing_and_so_loads_nothing_to_train_with(costed: Any) -> None:
    """They would be most of its memory, and seconds of its start."""
    done, _ = costed
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "loaded:"), done.stderr


def test_the_cost_of_a_step_is_measured_once_per_unit(costed: Any, smoke: Any) -> None:
    done, folder = costed
    assert "smoke: measuring what a step of each arm costs, 2 times, with nothing else running" in done.stdout
    events = read_ledger(folder / "ledger.jsonl").events
    costs = [event for event in events if event.kind == "step_cost"]
    assert len(costs) == 4
    assert all(0 < event.step_ms < 1000 for event in costs)  # type: ignore[union-attr]
    table = pq.read_table(folder / "curves.parquet").to_pandas()
    assert table[table.phase == "replicate"].groupby("trial_id").step_ms.count().tolist() == [1] * 4
    assert timeless.curves(folder).equals(timeless.curves(smoke.folder))
    results = json.loads((folder / "results.json").read_text())
    (cost,) = [row for row in results["comparisons"] if row["endpoint"] == "r_cost"]
    assert cost["estimate"] == pytest.approx(
        table[table.activation == "sigmoid"].step_ms.mean() / table[table.activation == "relu"].step_ms.mean()
    )


@pytest.mark.slow
def test_trials_side_by_side_come_to_the_same(smoke: Any, actsweep: Command, tmp_path: Path) -> None:
    done = actsweep("sweep", "experiment=smoke", "cluster.side_by_side=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "outputs" / "smoke"
    assert timeless.curves(folder).equals(timeless.curves(smoke.folder))
    assert timeless.results(folder) == timeless.results(smoke.folder)


def test_the_folder_holds_what_was_promised_and_nothing_else(smoke: Any) -> None:
    names = {path.name for path in smoke.folder.iterdir()}
    assert names == {
        *("study.yaml", "ledger.jsonl", "ledger.lock", "curves.parquet", "results.json", "report.html"),
        *("trials", "wandb", "optuna.db"),
    }
    assert [path.name for path in smoke.folder.parent.parent.iterdir()] == ["outputs"]


def test_both_phases_ran_in_full(smoke: Any) -> None:
    record = read_ledger(smoke.folder / "ledger.jsonl").fold()
    phases = [trial.started.phase for trial in record.trials.values()]
    assert (phases.count("tune"), phases.count("replicate")) == (4, 4)
    assert all(len(trial.rows) == 3 for trial in record.trials.values())
    assert record.finished


def test_replicates_use_the_best_tuned_learning_rate(smoke: Any) -> None:
    table = pq.read_table(smoke.folder / "curves.parquet").to_pandas()
    best = table.groupby(["phase", "activation", "trial_id", "lr"]).val_acc.max().reset_index()
    for arm in ("relu", "sigmoid"):
        tuned = best[(best.phase == "tune") & (best.activation == arm)]
        used = table[(table.phase == "replicate") & (table.activation == arm)].lr.unique()
        assert used.tolist() in [[lr] for lr in tuned[tuned.val_acc == tuned.val_acc.max()].lr]


def test_the_table_has_the_promised_columns(smoke: Any) -> None:
    columns = set(pq.read_schema(smoke.folder / "curves.parquet").names)
    required = {"trial_id", "activation", "seed", "epoch", "val_acc"}
    recorded = {"phase", "block", "depth", "lr", "step", "seconds", "wall", "seconds_from", "status"}
    measured = {"train_loss", "train_acc", "val_loss", "test_acc", "test_loss", "best_test_acc", "grad_slope"}
    assert required | recorded | measured <= columns


def test_results_are_those_of_an_analysis_of_the_cells(smoke: Any) -> None:
    results = smoke.results
    assert results["schema"] == 1
    assert results["study"]["arms"] == ["relu", "sigmoid"]
    assert results["study"]["trials"] == results["study"]["trials"] | {"tune": 4, "replicate": 4, "failed": 0}
    table = pq.read_table(smoke.folder / "curves.parquet").to_pandas()
    for cell in results["cells"]:
        mine = table[(table.phase == "replicate") & (table.activation == cell["activation"])]
        assert cell["test_acc_mean"] == pytest.approx(mine.test_acc.dropna().mean())
        assert cell["n"] == 2


def test_each_trial_keeps_its_configuration_and_weights(smoke: Any) -> None:
    for trial_id in read_ledger(smoke.folder / "ledger.jsonl").fold().trials:
        folder = smoke.folder / "trials" / trial_id
        assert {path.name for path in folder.iterdir()} == {"trial.yaml", "last.ckpt", "best.ckpt", "attempt-1.log"}
        assert yaml.safe_load((folder / "trial.yaml").read_text())["model"]["depth"] == 3


def test_the_mirror_for_optuna_holds_the_tune_phase(smoke: Any) -> None:
    import optuna

    (name,) = optuna.get_all_study_names(f"sqlite:///{smoke.folder / 'optuna.db'}")
    study = optuna.load_study(study_name=name, storage=f"sqlite:///{smoke.folder / 'optuna.db'}")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 4
    assert {trial.params["activation"] for trial in study.trials} == {"relu", "sigmoid"}
    assert sqlite3.connect(smoke.folder / "optuna.db").execute("pragma integrity_check").fetchone() == ("ok",)


def test_the_same_study_again_runs_nothing(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(smoke.folder, tmp_path / "outputs" / "smoke")
    again = actsweep("sweep", "experiment=smoke", cwd=tmp_path)
    assert again.returncode == 0
    assert (folder / "ledger.jsonl").read_bytes() == (smoke.folder / "ledger.jsonl").read_bytes()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_curves(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    assert (
        actsweep("sweep", "experiment=smoke", "tracker=none", "cluster.max_concurrent=1", cwd=tmp_path).returncode == 0
    )
    folder = tmp_path / "outputs" / "smoke"
    assert timeless.curves(folder).equals(timeless.curves(smoke.folder))
    assert timeless.results(folder) == timeless.results(smoke.folder)


def test_other_settings_under_the_same_name_are_refused(actsweep: Command, smoke: Any) -> None:
    place = smoke.folder.parent.parent
    before = {path: path.read_bytes() for path in smoke.folder.glob("*.*") if path.is_file()}
    refused = actsweep("sweep", "experiment=smoke", "trainer.epochs=3", cwd=place)
    assert refused.returncode == 2
    assert "trainer.epochs: 2 there, 3 asked" in refused.stderr
    assert {path: path.read_bytes() for path in smoke.folder.glob("*.*") if path.is_file()} == before


def test_report_rebuilds_the_results_from_the_ledger(actsweep: Command, smoke: Any) -> None:
    names = ("results.json", "curves.parquet")
    before = {name: (smoke.folder / name).read_bytes() for name in names}
    for name in names:
        (smoke.folder / name).unlink()
    assert actsweep("report", str(smoke.folder)).returncode == 0
    assert {name: (smoke.folder / name).read_bytes() for name in names} == before


def test_status_counts_what_is_done(actsweep: Command, smoke: Any) -> None:
    shown = actsweep("status", str(smoke.folder))
    assert shown.returncode == 0
    assert "relu/3" in shown.stdout


@pytest.mark.timeout(200)
def test_a_killed_sweep_goes_on_to_the_same_results(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "smoke"
    kill_when(lambda: count(folder, "finished") >= 3, tmp_path, "sweep", "experiment=smoke")
    done_before = {
        event.trial_id for event in read_ledger(folder / "ledger.jsonl").events if isinstance(event, TrialFinished)
    }
    assert 3 <= len(done_before) < 8
    resumed = actsweep("resume", str(folder))
    assert resumed.returncode == 0, resumed.stderr
    events = read_ledger(folder / "ledger.jsonl").events
    ends = [event.trial_id for event in events if isinstance(event, TrialFinished)]
    assert sorted(ends) == sorted(set(ends))
    begun_again = {event.trial_id for event in events if isinstance(event, TrialStarted) and event.attempt > 1}
    assert begun_again.isdisjoint(done_before)
    assert timeless.curves(folder).equals(timeless.curves(smoke.folder))
    assert timeless.results(folder) == timeless.results(smoke.folder)


@pytest.mark.slow
def test_a_lost_worker_costs_an_attempt_and_no_trial(actsweep: Command, tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "smoke"
    words = ("experiment=smoke", "study.replicate.seeds=6", "trainer.epochs=6", "tracker=none")
    running = start(tmp_path, "sweep", *words)
    wait_for(lambda: count(folder, "finished") >= 4, 90)
    os.kill(busiest_worker(running.pid), signal.SIGKILL)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    record = read_ledger(folder / "ledger.jsonl").fold()
    assert len(record.trials) == 4 + 12
    assert all(trial.status == "completed" for trial in record.trials.values())
    assert [event.will_retry for event in read_ledger(folder / "ledger.jsonl").events if event.kind == "failed"] == [
        True
    ]


def test_a_trial_that_fails_is_told_and_the_others_go_on(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    """A file where one trial's folder should be; it goes away, and the study goes on with that trial alone."""
    folder = tmp_path / "outputs" / "smoke"
    trials = read_ledger(smoke.folder / "ledger.jsonl").fold().trials
    unlucky = next(trial_id for trial_id, trial in trials.items() if trial.started.phase == "replicate")
    obstacle = folder / "trials" / unlucky
    obstacle.parent.mkdir(parents=True)
    obstacle.touch()
    done = actsweep("sweep", "experiment=smoke", "tracker=none", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert unlucky in done.stdout
    assert "File exists" in done.stdout
    record = read_ledger(folder / "ledger.jsonl").fold()
    assert [trial_id for trial_id, trial in record.trials.items() if trial.status == "failed"] == [unlucky]
    assert len(record.trials) == 8
    obstacle.unlink()
    assert actsweep("resume", str(folder)).returncode == 0
    assert timeless.curves(folder).equals(timeless.curves(smoke.folder))
    starts = [
        event.trial_id for event in read_ledger(folder / "ledger.jsonl").events if isinstance(event, TrialStarted)
    ]
    assert len(starts) == 9


def test_rows_are_in_the_ledger_as_they_are_in_the_table(smoke: Any) -> None:
    events = read_ledger(smoke.folder / "ledger.jsonl").events
    rows = sum(isinstance(event, Evaluation) for event in events)
    assert pq.read_metadata(smoke.folder / "curves.parquet").num_rows == rows == 8 * 3
    json.dumps([event.row for event in events if isinstance(event, Evaluation)], allow_nan=False)
