"""A thousand trials of thirty evaluations through the tracker: all arrive, and nothing grows with their number."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.tracking import EVALUATIONS

from wandb_server import wandb_server

TRIALS = 1000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def tracked(tracker: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.tracking", str(TRIALS), tracker],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=800,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert (found["runs that are whole"], found["problems"]) == (TRIALS, 0), found
    assert found["open files after all"] <= found["open files after half of them"] + 2, found
    assert found["driver, MiB after all"] <= 1.05 * found["driver, MiB after half of them"], found
    return found


def test_a_thousand_runs_offline_are_whole_and_leave_neither_files_open_nor_memory_behind() -> None:
    tracked("wandb_offline")


def test_a_thousand_runs_online_arrive_whole_and_finished() -> None:
    with wandb_server() as server:
        tracked("wandb_online", **server.environment())
        assert sorted({len(run.rows) for run in server.runs.values()}) == [EVALUATIONS]
        assert len(server.runs) == TRIALS
        assert {run.state for run in server.runs.values()} == {"finished"}
        assert server.unknown == []
