"""What Optuna's dashboard and TensorBoard make of a study's files, by the commands that the documentation names."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sockets import free_port

pytestmark = pytest.mark.slow
SECONDS = 60.0
PROGRAMS = Path(sys.executable).parent


@contextmanager
def served(command: list[str], port: int, home: Path) -> Iterator[Callable[..., Any]]:
    """A server that runs for the length of the block; gives a way to ask it for JSON."""
    environment = {**os.environ, "HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError:
                raise
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, process.returncode
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.2)

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(20)


def test_optunas_dashboard_shows_the_tune_trials(smoke: Any, tmp_path: Path) -> None:
    port = free_port()
    database = f"sqlite:///{smoke.folder / 'optuna.db'}"
    command = [str(PROGRAMS / "optuna-dashboard"), database, "--host", "127.0.0.1", "--port", str(port)]
    with served(command, port, tmp_path) as ask:
        (summary,) = ask("/api/studies")["study_summaries"]
        study = ask(f"/api/studies/{summary['study_id']}")
    expected = [row for row in smoke.results["trials"] if row["phase"] == "tune"]
    assert len(study["trials"]) == len(expected) > 0
    found = {trial["values"][0] for trial in study["trials"]}
    assert found == {row["best_val_acc"] for row in expected}
    assert {one["name"] for one in study["trials"][0]["params"]} == {"activation", "depth", "lr"}


def test_tensorboard_shows_settings_and_measures(actsweep: Any, smoke: Any, tmp_path: Path) -> None:
    folder = tmp_path / "smoke"
    shutil.copytree(smoke.folder, folder)
    done = actsweep("report", str(folder), "--tensorboard")
    assert done.returncode == 0, done.stderr
    port = free_port()
    runs = str(folder / "tensorboard")
    program = [str(PROGRAMS / "tensorboard"), "--logdir", runs, "--host", "127.0.0.1", "--port", str(port)]
    with served([*program, "--load_fast=false"], port, tmp_path) as ask:
        deadline = time.monotonic() + SECONDS
        wanted = len(smoke.results["trials"])
        while len(ask("/data/runs")) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        experiment = ask("/data/plugin/hparams/experiment", {"experimentName": ""})
        groups = ask("/data/plugin/hparams/session_groups", _all(experiment))["sessionGroups"]
    assert {"activation", "lr", "phase", "seed"} <= {one["name"] for one in experiment["hparamInfos"]}
    assert {"best_val_acc", "test_acc", "gap_end"} <= {one["name"]["tag"] for one in experiment["metricInfos"]}
    assert sum(len(group["sessions"]) for group in groups) == wanted
    shown = [one["value"] for group in groups for one in group["metricValues"] if one["name"]["tag"] == "best_val_acc"]
    assert sorted(shown) == pytest.approx(sorted(row["best_val_acc"] for row in smoke.results["trials"]), abs=1e-6)


def _all(experiment: dict[str, Any]) -> dict[str, Any]:
    """What the HParams view asks for to list all runs with all columns."""
    hparams = [{"hparam": one["name"]} for one in experiment["hparamInfos"]]
    metrics = [{"metric": one["name"]} for one in experiment["metricInfos"]]
    return {
        "experimentName": "",
        "colParams": [*hparams, *metrics],
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "startIndex": 0,
        "sliceSize": 1000,
    }
