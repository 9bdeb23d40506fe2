"""W&B drives: its own command line and agent, with the real client, against a server on loopback."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from actsweep.data import load, prepare
from actsweep.settings import StudyConfig
from actsweep.train import train
from wandb_server import Server, wandb_server

BIN = Path(sys.executable).parent
SMALL = ("experiment=smoke", "data.train=256", "data.val=128", "data.test=128")
PROPOSALS: list[dict[str, Any]] = [
    {"model.activation": "relu", "model.depth": 3, "optimizer.lr": 0.01, "seed": 7},
    {"model.activation": "sigmoid", "model.depth": 3, "optimizer.lr": 0.001, "seed": 8},
]
Actsweep = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def server() -> Iterator[Server]:
    with wandb_server() as running:
        yield running


def wandb(server: Server, cwd: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **server.environment(), "HOME": str(cwd), "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.Popen(
        [str(BIN / "wandb"), *words],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """What a command said until its end; one that does not come to it is ended with all that it started."""
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            one.kill()
        raise
    return text


def created(server: Server, actsweep: Actsweep, place: Path, *words: str) -> str:
    """The id of the sweep that W&B's own command makes of an exported file."""
    file = place / "sweep.yaml"
    done = actsweep("export-sweep", "--out", str(file), *SMALL, *words, cwd=place)
    assert done.returncode == 0, done.stderr
    printed = said(wandb(server, place, "sweep", "--project", "actsweep", str(file)))
    assert "wandb agent" in printed, printed
    (name,) = server.sweeps
    return f"someone/actsweep/{name}"


def test_wandb_takes_an_exported_sweep_and_its_agent_runs_the_trials(
    server: Server, actsweep: Actsweep, compose: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    sweep = created(server, actsweep, tmp_path, "trainer.epochs=2")
    taken = yaml.safe_load(server.sweeps["sweep1"])
    assert (taken["method"], taken["run_cap"]) == ("random", 8)
    server.proposals += PROPOSALS
    printed = said(wandb(server, tmp_path, "agent", sweep))
    assert set(server.runs) == {"run1", "run2"}, printed
    for run, asked in zip(server.runs.values(), PROPOSALS, strict=True):
        config = compose(*SMALL, "trainer.epochs=2", *(f"{key}={value}" for key, value in asked.items()))
        alone = train(config.trial({}, config.seed), load(prepare(config.data), config.data))
        assert [row["val_acc"] for row in run.rows] == alone.val_acc.tolist()
        assert [row["train_loss"] for row in run.rows] == alone.train_loss.tolist()  # type: ignore[union-attr]
        assert run.summary["test_acc"] == alone.test_acc
        assert {"best_val_acc", "gap_end", "gap_best", "diverged", "epochs_run", "status"} <= set(run.summary)
        assert (run.state, run.sweep, run.group) == ("finished", "sweep1", asked["model.activation"])
        assert run.config["activation"] == asked["model.activation"]
        assert (run.config["lr"], run.config["depth"]) == (asked["optimizer.lr"], 3)
        assert run.config["optimizer.lr"] == asked["optimizer.lr"]
    assert server.unknown == []


@pytest.mark.slow
def test_a_run_that_wandb_stops_ends_and_is_no_result(server: Server, actsweep: Actsweep, tmp_path: Path) -> None:
    sweep = created(server, actsweep, tmp_path, "trainer.epochs=100000")
    server.proposals += PROPOSALS[:1]
    agent = wandb(server, tmp_path, "agent", sweep)
    until = time.monotonic() + 60
    while not (run := server.runs.get("run1")) or not run.rows:
        assert time.monotonic() < until, said(agent, 1)
        time.sleep(0.1)
    server.stops.append("run1")
    printed = said(agent)
    assert run.summary["status"] == "interrupted", printed
    assert run.state == "failed"


@pytest.mark.slow
def test_without_its_server_a_trial_goes_on_and_says_so(actsweep: Actsweep, tmp_path: Path) -> None:
    with wandb_server() as gone:
        environment = gone.environment()
    environment |= {"WANDB_SWEEP_ID": "sweep1", "WANDB_RUN_ID": "run1", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "actsweep", "train", *SMALL, "trainer.epochs=1", "tracker=wandb_online"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "completed; test accuracy" in done.stdout
    assert "W&B: not whole: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
