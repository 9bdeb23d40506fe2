"""What goes wrong around the client: a study waits for none of it, and is told of all."""

import os
import sys
import time
from pathlib import Path

import pytest

from actsweep.tracker import recorder
from tracked import (
    CLOSE_SECONDS,
    completed,
    make_study,
    open_tracker,
    service_processes,
    study_started,
    three_trials,
    trial_started,
    wait_for_rows,
    wait_until,
    written_runs,
)

# wandb never waits for a service process that died: its handle says so when it is collected.
pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning")]


def test_process_keeps_its_own_ways_to_exit(tmp_path: Path) -> None:
    before = sys.exit, sys.excepthook
    study, folder = make_study(tmp_path)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(three_trials(study)[0])]:
        subscriber(event)
    subscriber.close(CLOSE_SECONDS)
    assert (sys.exit, sys.excepthook) == before


def test_call_does_not_wait_while_the_thread_does(tmp_path: Path) -> None:
    study, folder = make_study(tmp_path)
    first, second, _ = three_trials(study)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(first)[:-1]]:
        subscriber(event)
    wait_for_rows(folder, first.trial_id)
    (service,) = service_processes()
    service.suspend()
    for event in [completed(first)[-1], *completed(second)]:
        subscriber(event)
    assert not list(folder.path.glob(f"wandb/*{second.trial_id}"))  # the thread still waits for the end of the first
    service.resume()

    assert subscriber.close(CLOSE_SECONDS).problems == ()
    assert {run_id: len(run.history) for run_id, run in written_runs(folder).items()} == {
        first.trial_id: 3,
        second.trial_id: 3,
    }


def test_hang_is_ended_when_the_time_is_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, folder = make_study(tmp_path)
    first, second, _ = three_trials(study)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(first)[:-1]]:
        subscriber(event)
    wait_for_rows(folder, first.trial_id)
    service_processes()[0].suspend()
    for event in [completed(first)[-1], *completed(second)]:
        subscriber(event)
    start = time.monotonic()
    summary = subscriber.close(2.0)

    assert time.monotonic() - start < 10.0
    assert summary.problems[0] == "W&B did not come to an end within 2 s and was ended by force"
    assert summary.runs == 0
    assert service_processes() == []
    assert capfd.readouterr() == ("", "")


def test_death_of_the_service_costs_the_open_run_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, folder = make_study(tmp_path)
    first, second, _ = three_trials(study)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(first)[:-1]]:
        subscriber(event)
    wait_for_rows(folder, first.trial_id)
    service_processes()[0].kill()
    for event in [completed(first)[-1], *completed(second)]:
        subscriber(event)
    summary = subscriber.close(CLOSE_SECONDS)

    assert summary.runs == 1
    (problem,) = summary.problems
    assert f"{first.trial_id} attempt 1" in problem
    assert len(written_runs(folder)[second.trial_id].history) == 3
    assert service_processes() == []
    assert capfd.readouterr() == ("", "")


def test_file_in_place_of_the_folder_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, folder = make_study(tmp_path)
    (folder.path / "wandb").write_text("in the way")
    subscriber = open_tracker(study, folder)
    relu, sigmoid = study.cells
    trials = [study.tune_trial(cell, 0, {"optimizer.lr": lr}) for cell in (relu, sigmoid) for lr in (0.001, 0.01, 0.1)]
    for event in [study_started(), *(event for trial in trials for event in completed(trial))]:
        subscriber(event)
    summary = subscriber.close(CLOSE_SECONDS)

    assert summary.runs == 0
    refused, not_tried = summary.problems
    assert f"{trials[0].trial_id} attempt 1 and 2 more" in refused
    assert str(folder.path / "wandb") in refused
    assert not_tried == "3 more not tried, after 3 or more in a row could not begin"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    study, folder = make_study(tmp_path)
    folder.path.chmod(0o555)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(three_trials(study)[0])]:
        subscriber(event)
    (problem,) = subscriber.close(CLOSE_SECONDS).problems
    assert f"{folder.path} cannot be written to" in problem


def test_missing_key_is_named_and_nobody_is_asked_for_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, folder = make_study(tmp_path, "tracker=wandb_online")
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(three_trials(study)[0])]:
        subscriber(event)
    sweep, run = subscriber.close(CLOSE_SECONDS).problems
    assert sweep.startswith("not whole: the sweep: ")
    assert "wandb login" in run
    assert capfd.readouterr() == ("", "")


def test_server_that_is_away_costs_no_more_than_the_time_given(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "0" * 40}
    study, folder = make_study(tmp_path, "tracker=wandb_online")
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(three_trials(study)[0])]:
        subscriber(event)
    start = time.monotonic()
    summary = subscriber.close(3.0)

    assert time.monotonic() - start < 10.0
    assert summary.runs == 0
    assert summary.problems
    assert service_processes() == []
    assert capfd.readouterr() == ("", "")


def test_after_a_pause_runs_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PAUSE_SECONDS", 0.5)
    study, folder = make_study(tmp_path)
    (folder.path / "wandb").touch()  # where a folder should be
    tracked = open_tracker(study, folder)
    tracked(study_started())
    first, second, third = three_trials(study)
    for attempt, trial in enumerate((first, second, third, first), start=1):
        tracked(trial_started(trial, attempt))
    wait_until(lambda: tracked._recorder.skipped == 1)
    (folder.path / "wandb").unlink()
    time.sleep(1)
    for event in completed(second, 5):
        tracked(event)
    summary = tracked.close(CLOSE_SECONDS)
    assert summary.runs == 1
    assert "1 more not tried, after 3 or more in a row could not begin" in summary.problems
