"""Commands on a study that a sweep has left, as a user would give them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Command = Callable[..., subprocess.CompletedProcess[str]]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def trials_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "trials").iterdir())


def test_plan_says_what_the_sweep_then_ran(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    shown = actsweep("plan", "--json", "experiment=smoke", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    figures = json.loads(shown.stdout)
    assert figures["trials"]["total"] == len(trials_of(smoke.folder))
    weights = sum(path.stat().st_size for path in smoke.folder.rglob("*.ckpt"))
    assert figures["disk_bytes"]["checkpoints"] == weights
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_trial_is_equal_and_writes_nothing(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    before = files(smoke.folder)
    again = actsweep("train", "--from", str(smoke.folder / "trials" / trials_of(smoke.folder)[0]), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "equal to the recorded curve (3 evaluations)" in again.stdout
    assert files(smoke.folder) == before
    assert list(tmp_path.iterdir()) == []


def test_a_trial_that_was_tampered_with_is_refused(actsweep: Command, smoke: Any, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", str(smoke.folder), str(tmp_path)], check=True)
    trial = tmp_path / "smoke" / "trials" / trials_of(smoke.folder)[0]
    config = yaml.safe_load((trial / "trial.yaml").read_text())
    config["model"]["width"] = 8
    (trial / "trial.yaml").write_text(yaml.safe_dump(config))
    refused = actsweep("train", "--from", str(trial))
    assert refused.returncode == 2
    assert "describes another trial" in refused.stderr


def test_list_and_status_find_the_study_by_themselves(actsweep: Command, smoke: Any) -> None:
    place = smoke.folder.parent.parent
    (entry,) = json.loads(actsweep("list", "--json", cwd=place).stdout)
    assert (entry["name"], entry["state"]) == ("smoke", "finished")
    assert entry["trials"] == {"done": 8, "failed": 0, "planned": 8}
    assert "smoke: finished, 8 of 8 trials done" in actsweep("status", cwd=place).stdout


def test_show_of_a_narrow_terminal_keeps_its_columns(actsweep: Command, smoke: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    shown = actsweep("show", str(smoke.folder), trials_of(smoke.folder)[0][:8])
    assert shown.returncode == 0, shown.stderr
    assert "epoch  train loss  train acc  val loss  val acc  seconds" in shown.stdout


def test_doctor_of_an_experiment_that_can_run_here(actsweep: Command, tmp_path: Path) -> None:
    found = actsweep("doctor", "experiment=smoke", cwd=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "missing" not in found.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_reader_who_leaves_does_not_stop_the_sweep(home: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "actsweep", "sweep", "experiment=smoke", "tracker=none"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sweep:
        assert sweep.stdout is not None
        assert sweep.stderr is not None
        assert sweep.stdout.readline() == "smoke: starting Ray\n"
        assert sweep.stdout.readline().startswith("smoke: 2 cells")
        sweep.stdout.close()
        assert sweep.stderr.read() == ""
        assert sweep.wait(timeout=120) == 0
    assert (tmp_path / "outputs" / "smoke" / "report.html").is_file()


def test_several_runs_of_train(actsweep: Command, tmp_path: Path) -> None:
    done = actsweep("train", "experiment=smoke", "model.activation=gelu,tanh", "--multirun", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("completed; test accuracy") == 2
    assert len(trials_of(tmp_path / "outputs" / "smoke")) == 2


def test_a_trial_by_itself_leaves_a_study_of_that_name_alone(actsweep: Command, smoke: Any) -> None:
    before, place = files(smoke.folder), smoke.folder.parent.parent
    done = actsweep("train", "experiment=smoke", "trainer.epochs=1", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "weights in outputs/smoke-train/trials/" in done.stdout
    assert files(smoke.folder) == before


def test_a_trial_by_itself_gets_a_run_where_a_tracker_is_named(actsweep: Command, tmp_path: Path) -> None:
    done = actsweep("train", "experiment=smoke", "trainer.epochs=1", "tracker=wandb_offline", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "outputs" / "smoke" / "wandb").glob("offline-run-*/run-*.wandb")
    assert run.stat().st_size > 0
    assert f"W&B: to send it: wandb sync {run.parent.relative_to(tmp_path)}" in done.stdout


def test_a_trial_by_itself_is_not_sent_without_a_key(actsweep: Command, tmp_path: Path) -> None:
    refused = actsweep("train", "experiment=smoke", "tracker=wandb_online", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no W&B key is found" in refused.stderr
    assert not (tmp_path / "outputs").exists()
