"""A whole study that is sent while it runs, then published: the real client, and a server on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actsweep import load
from leaks import command_lines, files_with
from wandb_server import KEY, Run, Server, wandb_server

pytestmark = pytest.mark.timeout(240)
WORDS = ("experiment=smoke", "tracker=wandb_online", "tracker.alert=true", "tracker.artifacts=best")
KEYS = ("reached_hi", "epochs_to_target_hi", "seconds_to_target_hi", "reached_lo", "epochs_to_target_lo", "gap_match")


class Study:
    """A study that has been run online, and what was seen meanwhile."""

    def __init__(self, place: Path, server: Server) -> None:
        self.place, self.server = place, server
        self.folder = place / "outputs" / "smoke"
        with command_lines() as self.lines:
            self.ran = self.command("sweep", *WORDS)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "actsweep", *words],
            cwd=self.place,
            env={**os.environ, **self.server.environment(), "HOME": str(self.place)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    @property
    def aggregates(self) -> Run:
        (run,) = (run for run in self.server.runs.values() if run.job_type == "study")
        return run


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with wandb_server() as server:
        yield Study(tmp_path_factory.mktemp("online"), server)


def test_it_says_where_to_look_and_nothing_else_of_wandb(study: Study) -> None:
    assert study.ran.returncode == 0, study.ran.stderr
    said = [line for line in study.ran.stdout.splitlines() if "W&B" in line or "wandb" in line]
    assert said == [f"W&B: {study.server.url}/someone/actsweep/sweeps/sweep1"]


def test_runs_have_what_needs_the_whole_study_as_the_results_say(study: Study) -> None:
    runs = {run.name.partition("-")[0]: run for run in study.server.runs.values() if run.job_type != "study"}
    rows = load(study.folder).results["trials"]
    assert sorted(runs) == sorted(row["trial_id"] for row in rows)
    for row in rows:
        wanted = {key: row[key] for key in KEYS if row[key] is not None}
        assert wanted
        assert {key: runs[row["trial_id"]].summary.get(key) for key in wanted} == wanted
        assert runs[row["trial_id"]].summary["status"] == "completed"


def test_one_run_holds_the_aggregates_of_each_arm(study: Study) -> None:
    results, summary = load(study.folder).results, study.aggregates.summary
    for cell in results["cells"]:
        arm = cell["activation"]
        assert summary[f"{arm}/epochs_to_target/rmst"] == cell["rmst_epochs_hi"]
        assert summary[f"{arm}/epochs_to_target/low"] == cell["rmst_epochs_hi_low"]
        assert summary[f"{arm}/epochs_to_target/high"] == cell["rmst_epochs_hi_high"]
        assert summary[f"{arm}/gap_end/mean"] == cell["gap_end_mean"]
        assert summary[f"{arm}/reached/share"] == cell["reached_hi"]
    assert "has the best test accuracy" in summary["headline"]
    assert study.aggregates.sweep == "sweep1"
    assert study.aggregates.state == "finished"


def test_its_tables_and_page_are_those_of_the_study(study: Study) -> None:
    results, run = load(study.folder).results, study.aggregates
    for name in ("cells", "verdicts", "comparisons"):
        table = json.loads(run.files[run.summary[name]["path"]])
        (column,) = [table["columns"].index({"cells": "activation"}.get(name, "a"))]
        assert [row[column] for row in table["data"]] == [
            row[{"cells": "activation"}.get(name, "a")] for row in results[name]
        ]
    assert run.files["report.html"] == (study.folder / "report.html").read_bytes()
    figures = [name for name in run.files if name.startswith("media/plotly/figures/")]
    assert any("validation_accuracy_while_training_depth_3" in name for name in figures)
    assert any("time_to_the_target_accuracy_depth_3" in name for name in figures)
    assert len(figures) > 8
    assert all(json.loads(run.files[name])["data"] for name in figures)


def test_people_are_told_once_and_the_best_weights_are_kept(study: Study) -> None:
    (alert,) = study.server.alerts
    assert (alert["title"], alert["text"]) == ("actsweep: smoke has ended", study.aggregates.summary["headline"])
    for arm in ("relu", "sigmoid"):
        (artifact,) = study.server.artifacts.named(f"smoke-{arm}_3")
        assert (artifact.kind, artifact.state) == ("model", "COMMITTED")
        weights = [path.read_bytes() for path in study.folder.glob("trials/*/best.ckpt")]
        assert artifact.files["best.ckpt"] in weights


def test_publishing_sends_only_the_views(study: Study) -> None:
    before = {name: dict(run.history) for name, run in study.server.runs.items()}
    for _ in range(2):
        done = study.command("publish", str(study.folder))
        assert (done.returncode, done.stderr) == (0, "")
        assert "W&B: 9 of 9 runs whole, 0 sent" in done.stdout
    assert {name: run.history for name, run in study.server.runs.items()} == before
    views = {view["displayName"]: view for view in study.server.views.kept.values()}
    assert (
        sorted((view["type"], name) for name, view in views.items())
        == [
            ("project-view", "smoke"),
            ("project-view", "smoke: tuning"),
            ("runs", "smoke"),
        ]
        or len(study.server.views.kept) == 3
    )
    assert len(study.server.alerts) == 1
    assert study.server.unknown == []


@pytest.mark.slow
def test_results_that_have_changed_are_shown_in_the_place_of_the_old(study: Study) -> None:
    assert study.command("publish", str(study.folder)).returncode == 0
    views: dict[str, Any] = dict(study.server.views.kept)
    study.aggregates.summary |= {"results_digest": "of others", "relu/9/n": 3}
    done = study.command("publish", str(study.folder))
    assert "W&B: 9 of 9 runs whole, 1 sent" in done.stdout
    assert len(study.aggregates.rows) >= 2
    assert study.aggregates.summary["results_digest"] != "of others"
    assert "relu/9/n" not in study.aggregates.summary
    assert "relu/n" in study.aggregates.summary
    assert list(study.server.views.kept) == list(views)


@pytest.mark.slow
def test_views_of_other_results_are_saved_anew(study: Study) -> None:
    assert study.command("publish", str(study.folder)).returncode == 0
    notes = study.folder / "wandb" / "actsweep-sweep.json"
    (known,) = json.loads(notes.read_text())
    notes.write_text(json.dumps([{**known, "views": {**known["views"], "digest": "of others"}}]))
    for view in study.server.views.kept.values():
        view["spec"] = {}
    assert "W&B: 9 of 9 runs whole, 0 sent" in study.command("publish", str(study.folder)).stdout
    assert all(view["spec"] for view in study.server.views.kept.values())


def test_the_key_is_in_no_file_and_no_command_line(study: Study) -> None:
    assert any(b"wandb-core" in line for line in study.lines)
    assert files_with((KEY,), study.place) == []
    assert not [line for line in study.lines if KEY.encode() in line]


@pytest.mark.slow
def test_make_wandb_goes_from_the_key_to_the_report(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "wandb_study.py"

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), "experiment=smoke"],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    refused = run()
    assert (refused.returncode, refused.stderr.count("\n"), list(tmp_path.iterdir())) == (2, 1, [])
    with wandb_server() as server:
        done = run(**server.environment())
        assert (done.returncode, done.stderr) == (0, "")
        said = [line for line in done.stdout.splitlines() if line.startswith("W&B")]
        assert said[0] == said[2] == f"W&B: {server.url}/someone/actsweep/sweeps/sweep1"
        assert said[1] == "W&B: 9 of 9 runs whole, 0 sent"
        assert said[3].startswith(f"W&B: {server.url}/someone/actsweep/reports/smoke--")
        assert server.unknown == []
