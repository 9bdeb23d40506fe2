"""Studies that were run offline, sent afterwards: the whole command, with the real client and a server on loopback."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actsweep.events import Evaluation
from actsweep.records import Ledger, read_ledger
from actsweep.tracker.description import history_row
from wandb_server import Run, Server, wandb_server

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def server() -> Iterator[Server]:
    with wandb_server() as running:
        yield running


@pytest.fixture
def study(smoke: Any, tmp_path: Path) -> Path:
    shutil.copytree(smoke.folder, tmp_path / "smoke")
    return tmp_path / "smoke"


def publish(study: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actsweep", "publish", study.name, *options]
    return subprocess.run(
        command,
        cwd=study.parent,
        env={**os.environ, "HOME": str(study.parent), **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def rows_of(study: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event in read_ledger(study / "ledger.jsonl").events:
        if isinstance(event, Evaluation):
            found.setdefault(event.trial_id, []).append(history_row(event.row))
    return found


def trials(server: Server) -> list[Run]:
    return [run for run in server.runs.values() if run.job_type != "study"]


def rows_at(server: Server) -> dict[str, list[dict[str, Any]]]:
    return {run.name.partition("-")[0]: run.rows for run in trials(server)}


def test_all_of_an_offline_study_arrives_once(server: Server, study: Path) -> None:
    done = publish(study, **server.environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert f"W&B: 9 of 9 runs whole, 9 sent\nW&B: {server.url}/someone/actsweep/sweeps/sweep1\n" in done.stdout
    assert f"W&B: {server.url}/someone/actsweep/reports/smoke--" in done.stdout
    assert rows_at(server) == rows_of(study)
    assert {(run.sweep, run.state) for run in server.runs.values()} == {("sweep1", "finished")}
    assert {run.summary["status"] for run in trials(server)} == {"completed"}
    assert all("epochs_to_target_hi" in run.summary for run in trials(server))
    assert server.unknown == []
    before = {name: dict(run.history) for name, run in server.runs.items()}
    again = publish(study, **server.environment())
    assert "9 of 9 runs whole, 0 sent" in again.stdout
    assert {name: run.history for name, run in server.runs.items()} == before
    assert list(server.sweeps) == ["sweep1"]


@pytest.mark.slow
def test_what_was_lost_on_the_way_is_sent_again_and_nothing_else(server: Server, study: Path) -> None:
    assert publish(study, **server.environment()).returncode == 0
    first, second, *others = server.runs.values()
    del first.history[2]
    del server.runs[second.name]
    untouched = [dict(run.history) for run in others]
    done = publish(study, **server.environment())
    assert (done.returncode, "9 of 9 runs whole, 2 sent" in done.stdout) == (0, True), done.stdout
    assert rows_at(server) == rows_of(study)
    assert [run.history for run in others] == untouched


@pytest.mark.slow
def test_what_does_not_arrive_is_named(server: Server, study: Path) -> None:
    server.lost = 1
    done = publish(study, **server.environment())
    assert done.returncode == 1
    missing = [line for line in done.stdout.splitlines() if line.startswith("W&B: missing: ")]
    assert len(missing) == 8
    assert "2 of 3 rows are there" in missing[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_without_a_key_nothing_is_tried(study: Path) -> None:
    done = publish(study)
    assert done.returncode == 2
    assert done.stderr == "actsweep: publish: no W&B key is found; set WANDB_API_KEY, or run `wandb login` once\n"


def test_another_project_gets_all_of_it_and_leaves_the_notes_of_the_first(server: Server, study: Path) -> None:
    first = publish(study, **server.environment())
    server.runs.clear()
    there = publish(study, "--project", "other", "--entity", "team", **server.environment())
    assert f"W&B: 9 of 9 runs whole, 9 sent\nW&B: {server.url}/someone/other/sweeps/sweep2\n" in there.stdout
    assert f"W&B: {server.url}/team/other/reports/smoke--" in there.stdout
    assert {run.project for run in server.runs.values()} == {"other"}
    server.runs.clear()
    again = publish(study, **server.environment())
    assert (again.stdout, list(server.sweeps)) == (first.stdout, ["sweep1", "sweep2"])


def test_what_a_running_sweep_sends_itself_is_not_sent_twice(server: Server, study: Path) -> None:
    settings = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(settings.replace("wandb_offline", "wandb_online"))
    with Ledger(study / "ledger.jsonl"):
        done = publish(study, **server.environment())
        elsewhere = publish(study, "--project", "other", **server.environment())
    assert elsewhere.returncode == 2
    assert "publish it elsewhere when it has ended" in elsewhere.stderr
    assert done.returncode == 1
    assert done.stdout.count("the sweep that is running sends its runs itself") == 8
    assert trials(server) == []


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_given_up_after_two_runs(server: Server, study: Path) -> None:
    server.status = 500
    begun = time.monotonic()
    done = publish(study, **server.environment())
    assert time.monotonic() - begun < 120
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("actsweep: W&B does not answer: ")
