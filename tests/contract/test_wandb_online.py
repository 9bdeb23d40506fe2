"""Runs that are sent while a study runs: the real client, against a server on loopback."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from actsweep.tracker import TrackerSummary
from tracked import (
    CLOSE_SECONDS,
    completed,
    make_study,
    open_tracker,
    service_processes,
    study_started,
    three_trials,
)
from wandb_server import Server, wandb_server

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    before = dict(os.environ)
    with wandb_server() as running:
        os.environ.update(running.environment(), HOME=str(tmp_path / "home"))
        yield running
    os.environ.clear()
    os.environ.update(before)


def tracked(place: Path, time: float = 0.0) -> TrackerSummary:
    """Two whole trials of a study that began at some time."""
    study, folder = make_study(place, "tracker=wandb_online")
    subscriber = open_tracker(study, folder)
    subscriber(replace(study_started(), time=time))
    for trial in three_trials(study)[:2]:
        for event in completed(trial):
            subscriber(event)
    return subscriber.close(CLOSE_SECONDS)


def test_runs_arrive_whole_and_belong_to_the_studys_sweep(server: Server, tmp_path: Path) -> None:
    summary = tracked(tmp_path)
    assert summary.problems == ()
    assert summary.url == f"{server.url}/someone/actsweep/sweeps/sweep1"
    assert [len(run.rows) for run in server.runs.values()] == [3, 3]
    assert {(run.sweep, run.state, run.summary["test_acc"]) for run in server.runs.values()} == {
        ("sweep1", "finished", 0.65)
    }
    made = yaml.safe_load(server.sweeps["sweep1"])
    assert (made["name"], made["method"], set(made["parameters"])) == ("smoke", "custom", {"activation", "depth", "lr"})
    assert server.unknown == []
    assert service_processes() == []


def test_a_study_that_goes_on_goes_on_in_its_sweep(server: Server, tmp_path: Path) -> None:
    tracked(tmp_path)
    tracked(tmp_path)
    assert list(server.sweeps) == ["sweep1"]


def test_two_studies_that_share_a_trial_do_not_share_its_run(server: Server, tmp_path: Path) -> None:
    tracked(tmp_path / "one", time=1.0)
    tracked(tmp_path / "other", time=2.0)
    assert len(server.runs) == 4
    assert sorted(server.sweeps) == ["sweep1", "sweep2"]
    assert sorted(run.sweep for run in server.runs.values()) == ["sweep1", "sweep1", "sweep2", "sweep2"]


def test_a_sweep_that_cannot_be_made_costs_no_run(server: Server, tmp_path: Path) -> None:
    server.refused.append("UpsertSweep")
    summary = tracked(tmp_path)
    (problem,) = summary.problems
    assert problem.startswith("not whole: the sweep: RuntimeError: ")
    assert summary.url == ""
    assert [(len(run.rows), run.sweep) for run in server.runs.values()] == [(3, ""), (3, "")]
