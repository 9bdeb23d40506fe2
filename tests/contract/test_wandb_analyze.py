"""Sweeps at W&B, ours and others', analysed through the public API from a server on loopback."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wandb_server import Server, wandb_server

pytestmark = pytest.mark.timeout(180)

FOREIGN = """
import wandb
settings = dict(silent=True, console="off", x_disable_stats=True, x_disable_meta=True, x_save_requirements=False)
for activation, slope in (("relu", 0.2), ("tanh", 0.1)):
    for seed in range(3):
        config = {"net": {"activation": activation}, "seed": seed, "lr": 0.1}
        run = wandb.init(project="theirs", config=config, settings=wandb.Settings(sweep_id="other1", **settings))
        for epoch in range(1, 5):
            run.log({"epoch": epoch, "accuracy": slope * epoch, "loss": 2.0})
        run.summary["test_acc"] = slope * 3
        run.finish(exit_code=int(seed == 2 and activation == "tanh"))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with wandb_server() as running:
        yield running


def run(server: Server, place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **server.environment(), "HOME": str(place), "WANDB_ERROR_REPORTING": "false"}
    return subprocess.run(
        [sys.executable, *command], cwd=place, env=environment, capture_output=True, text=True, timeout=150, check=False
    )


def analyse(server: Server, place: Path, *words: str) -> dict[str, Any]:
    done = run(server, place, "-m", "actsweep", "analyze", *words, "--from", "wandb", "--out", "out", "--no-report")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: dict[str, Any] = json.loads((place / "out" / "results.json").read_text())
    return found


def test_what_was_published_gives_the_results_of_the_study(server: Server, smoke: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(smoke.folder, tmp_path / "smoke")
    assert run(server, tmp_path, "-m", "actsweep", "publish", str(folder)).returncode == 0
    found = analyse(server, tmp_path, "someone/actsweep/sweep1")
    study = json.loads((smoke.folder / "results.json").read_text())

    def trials(results: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [{key: value for key, value in row.items() if key != "trial_id"} for row in results["trials"]]
        return sorted(rows, key=lambda row: (row["phase"], row["activation"], row["lr"], row["seed"]))

    assert trials(found) == trials(study)
    assert found["cells"] == study["cells"]
    assert found["verdicts"] == study["verdicts"]
    assert server.unknown == []


@pytest.mark.slow
def test_a_sweep_of_others_needs_only_the_names_of_its_columns(server: Server, tmp_path: Path) -> None:
    server.sweeps["other1"] = "method: grid"
    made = run(server, tmp_path, "-c", FOREIGN)
    assert made.returncode == 0, made.stderr
    found = analyse(server, tmp_path, "someone/theirs/other1", "--map", "val_acc=accuracy", "--map", "val_loss=loss")
    assert [(cell["activation"], cell["n"]) for cell in found["cells"]] == [("relu", 3), ("tanh", 2)]
    assert found["study"]["trials"]["failed"] == 1
    assert [cell["test_acc_mean"] for cell in found["cells"]] == pytest.approx([0.6, 0.3])
    assert server.unknown == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("someone/actsweep/none", "W&B does not give this sweep: CommError: Could not find sweep"),
        ("sweep1", "--from wandb needs ENTITY/PROJECT/SWEEP"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(path: str, said: str, server: Server, tmp_path: Path) -> None:
    done = run(server, tmp_path, "-m", "actsweep", "analyze", path, "--from", "wandb")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
