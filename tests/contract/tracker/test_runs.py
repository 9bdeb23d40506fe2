"""Runs that are written offline: what they say of trials, however these go."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actsweep.events import (
    StudyFinished,
    StudyResumed,
    TrialFailed,
)
from actsweep.records import Ledger
from actsweep.study import Trial
from actsweep.tracker import TrackerSummary, tracker
from tracked import (
    CLOSE_SECONDS,
    KEY,
    LR,
    WrittenRun,
    completed,
    evaluation,
    make_study,
    open_tracker,
    service_processes,
    study_started,
    three_trials,
    trial_finished,
    trial_started,
    written_runs,
)

# wandb never waits for a service process that died: its handle says so when it is collected.
pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning")]


def assert_run_of_completed_trial(run: WrittenRun, trial: Trial) -> None:
    assert run.info.display_name == f"relu depth=3 lr=0.00123 seed={trial.config.seed}"
    assert (run.info.run_group, run.info.job_type) == ("relu/3", "tune")
    assert list(run.info.tags) == ["tune", "relu", "smoke"]
    assert run.info.project == "actsweep"
    assert run.config == {
        "_wandb": {},
        "study": "smoke",
        "study_id": KEY,
        "activation": "relu",
        "depth": 3,
        "lr": LR,
        "seed": trial.config.seed,
        "block": 0,
        "phase": "tune",
        "trial_id": trial.trial_id,
        "attempt": 1,
        "trial": trial.config.model_dump(mode="json"),
    }
    step_of = {metric.name or metric.glob_name: metric.step_metric for metric in run.metrics}
    assert step_of == {"epoch": "", "*": "epoch"}
    rows = [evaluation(trial, epoch).row for epoch in range(3)]
    shown = [{name: value for name, value in row.items() if value is not None} for row in rows]
    assert run.history == [{**row, "gap": row["train_acc"] - row["val_acc"]} for row in shown]
    assert run.summary == pytest.approx(
        run.history[-1]
        | {"best_val_acc": 0.7, "test_acc": 0.65, "test_loss": 1.2, "best_test_acc": 0.65}
        | {"gap_end": 0.25, "gap_best": 0.2, "epochs_run": 2}
        | {"diverged": False, "status": "completed"}
    )
    assert run.exit_codes == [0]


def assert_run_of_diverged_trial(run: WrittenRun) -> None:
    assert run.info.run_group == "sigmoid/3"
    assert math.isnan(run.history[1]["train_loss"])
    assert run.history[1]["val_loss"] == math.inf
    assert (run.summary["diverged"], run.summary["status"], run.summary["epochs_run"]) == (True, "diverged", 1)
    assert (run.summary["best_val_acc"], run.summary["test_acc"]) == (0.1, 0.1)  # counts as chance
    assert not {"gap_end", "gap_best"} & set(run.summary)
    assert run.exit_codes == [0]


def assert_runs_of_retried_trial(lost: WrittenRun, repeated: WrittenRun) -> None:
    assert [row["epoch"] for row in lost.history] == [0]
    assert (lost.summary["status"], lost.summary["failure"]) == ("failed", "lost: the node went away")
    assert (lost.config["attempt"], lost.exit_codes) == (1, [1])
    assert [row["epoch"] for row in repeated.history] == [0, 1, 2]
    assert (repeated.summary["status"], repeated.summary["gap_end"]) == ("completed", pytest.approx(0.25))
    assert (repeated.config["attempt"], repeated.info.job_type, repeated.exit_codes) == (2, "replicate", [0])


def test_runs_on_the_disk_say_what_the_events_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, folder = make_study(tmp_path)
    first, second, third = three_trials(study)
    begin, *rest = completed(first)
    diverged = [
        trial_started(second),
        evaluation(second, 0),
        evaluation(second, 1, train_loss=math.nan, val_loss=math.inf),
        trial_finished(second, status="diverged"),
    ]
    interleaved = [begin, *(event for pair in zip(rest, diverged, strict=True) for event in pair)]
    retried = [
        trial_started(third),
        evaluation(third, 0),
        TrialFailed(third.trial_id, 1, "lost", "the node went away", will_retry=True, time=0.0),
        *completed(third, attempt=2),
    ]
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *interleaved, *retried, StudyFinished(0.0)]:
        subscriber(event)
    summary = subscriber.close(CLOSE_SECONDS)

    assert summary == TrackerSummary(runs=4, folder=folder.path / "wandb", problems=())
    assert str(summary) == f"W&B: 4 runs in {folder.path / 'wandb'}"
    assert capfd.readouterr() == ("", "")
    assert service_processes() == []
    runs = written_runs(folder)
    assert set(runs) == {first.trial_id, second.trial_id, third.trial_id, f"{third.trial_id}-2"}
    assert_run_of_completed_trial(runs[first.trial_id], first)
    assert_run_of_diverged_trial(runs[second.trial_id])
    assert_runs_of_retried_trial(runs[third.trial_id], runs[f"{third.trial_id}-2"])


def test_no_tracker_where_none_is_asked_for(tmp_path: Path) -> None:
    assert tracker(*make_study(tmp_path, "tracker=none")) is None


def test_importing_the_tracker_does_not_load_wandb() -> None:
    code = "import sys, actsweep.tracker; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0


def test_settings_of_a_single_run_in_the_environment_do_not_bend_the_runs(tmp_path: Path) -> None:
    os.environ |= {
        "WANDB_SWEEP_ID": "abcd1234",
        "WANDB_RUN_ID": "other",
        "WANDB_RESUME": "must",
        "WANDB_NAME": "other",
        "WANDB_RUN_GROUP": "other",
        "WANDB_NOTES": "other",
        "WANDB_DIR": str(tmp_path / "other"),
        "WANDB_MODE": "disabled",
        "WANDB_SERVICE": "3-1-tcp-localhost-1",
    }
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[0]
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(trial)]:
        subscriber(event)
    assert subscriber.close(CLOSE_SECONDS).problems == ()

    run = written_runs(folder)[trial.trial_id]
    assert (run.info.display_name.split()[0], run.info.run_group, run.info.notes) == ("relu", "relu/3", "")
    assert (run.info.project, run.info.sweep_id) == ("actsweep", "")


def test_interrupted_trial_is_kept_as_far_as_it_went(tmp_path: Path) -> None:
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[0]
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(trial)[:3]]:
        subscriber(event)
    assert subscriber.close(CLOSE_SECONDS).problems == ()

    run = written_runs(folder)[trial.trial_id]
    assert len(run.history) == 2
    assert (run.summary["status"], run.exit_codes) == ("interrupted", [1])


def test_resumed_study_takes_from_its_ledger_what_chance_is(tmp_path: Path) -> None:
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[1]
    subscriber = open_tracker(study, folder)
    with Ledger(folder.ledger) as ledger:
        ledger(study_started())
        bad = evaluation(trial, 1, train_loss=math.nan)
        end = trial_finished(trial, status="diverged")
        for event in [StudyResumed(0, 0.0), trial_started(trial), evaluation(trial, 0), bad, end]:
            ledger(event)
            subscriber(event)
        assert subscriber.close(CLOSE_SECONDS).problems == ()
    assert written_runs(folder)[trial.trial_id].summary["best_val_acc"] == 0.1


def test_events_of_an_outdated_attempt_change_nothing(tmp_path: Path) -> None:
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[0]
    failed = TrialFailed(trial.trial_id, 1, "error", "RuntimeError: no", will_retry=True, time=0.0)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), trial_started(trial), failed, *completed(trial, 2)[:2], evaluation(trial, 1)]:
        subscriber(event)
    assert subscriber.close(CLOSE_SECONDS).problems == ()
    runs = written_runs(folder)
    assert (len(runs[trial.trial_id].history), len(runs[f"{trial.trial_id}-2"].history)) == (0, 1)
