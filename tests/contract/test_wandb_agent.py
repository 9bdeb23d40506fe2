"""W&B drives: its own command line and agent, with the real client, against a server on loopback."""

import os
import signal
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
from leaks import command_lines, files_with
from wandb_server import KEY, Server, wandb_server

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
    assert taken["method"] == "random"
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


def agents(server: Server, place: Path, *words: str) -> subprocess.Popen[str]:
    """Our agents on a Ray of their own; nothing but what they start knows the way to W&B."""
    return subprocess.Popen(
        [sys.executable, "-m", "actsweep", "agents", *words],
        cwd=place,
        env={**os.environ, **server.environment(), "HOME": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_agents_on_ray_share_the_trials_and_show_the_key_to_nobody(
    server: Server, actsweep: Actsweep, tmp_path: Path
) -> None:
    sweep = created(server, actsweep, tmp_path, "trainer.epochs=2")
    server.proposals += PROPOSALS
    with command_lines() as lines:
        running = agents(server, tmp_path, sweep, "--count", "2", "--runs", "1", "--cpu", "0.5")
        printed = said(running)
    assert running.returncode == 0, printed
    assert "2 of 2 agents came to an end as W&B said" in printed
    assert {(run.state, len(run.rows)) for run in server.runs.values()} == {("finished", 3)}
    assert sorted(run.config["activation"] for run in server.runs.values()) == ["relu", "sigmoid"]
    assert KEY not in printed
    assert any(b"wandb agent" in line.replace(b"\0", b" ") for line in lines)
    assert not [line for line in lines if KEY.encode() in line]
    assert files_with((KEY,), tmp_path) == []


@pytest.mark.slow
def test_an_interrupt_ends_the_agents_and_what_they_run(server: Server, actsweep: Actsweep, tmp_path: Path) -> None:
    sweep = created(server, actsweep, tmp_path, "trainer.epochs=100000")
    server.proposals += PROPOSALS[:1]
    running = agents(server, tmp_path, sweep, "--count", "1")
    until = time.monotonic() + 90
    while not (run := server.runs.get("run1")) or not run.rows:
        assert time.monotonic() < until, said(running, 1)
        time.sleep(0.1)
    started = psutil.Process(running.pid).children(recursive=True)
    assert any("train" in " ".join(process.cmdline()) for process in started)
    running.send_signal(signal.SIGINT)
    printed = said(running, 30)
    assert running.returncode == 130, printed
    assert psutil.wait_procs(started, timeout=5)[1] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("a b",), "needs the form ENTITY/PROJECT/ID, PROJECT/ID or ID, not 'a b'"),
        (("s", "--count", "0"), "--count and --runs need a whole number from 1 on"),
        (("s", "--count", "1", "--runs", "0"), "--count and --runs need a whole number from 1 on"),
        (("s", "--count", "1", "--cpu", "nan"), "--cpu a number above 0"),
        (("s", "--count", "9999"), "--count 9999: the cluster has room for"),
        (("s",), "the following arguments are required: --count"),
    ],
)
def test_what_agents_cannot_do_is_refused_in_one_line(
    words: tuple[str, ...], why: str, server: Server, tmp_path: Path
) -> None:
    running = agents(server, tmp_path, *words, *(() if "--count" in words or words == ("s",) else ("--count", "1")))
    printed = said(running)
    assert (running.returncode, printed.count("\n")) == (2, 1), printed
    assert why in printed


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
