"""The tracker against the real wandb client, offline: what is handed over as events is read back from wandb's files."""

import gc
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from actsweep.config import run_with_hydra
from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Ledger, StudyFolder
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial
from actsweep.tracker import Tracker, TrackerSummary, recorder, subscriber, tracker
from actsweep.tracker.description import study_key
from actsweep.tracker.transaction_log import RunFile, records

# wandb never waits for a service process that died: its handle says so when it is collected.
pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning")]

CLOSE_SECONDS = 30.0
LR = 0.00123456


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    """A home of its own and no trace of a W&B account; the process's environment is put back as it was."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        del os.environ[name]
    os.environ["HOME"] = str(tmp_path / "home")
    yield
    gc.collect()
    os.environ.clear()
    os.environ.update(before)


def make_study(tmp_path: Path, *overrides: str) -> tuple[Study, StudyFolder]:
    configs: list[StudyConfig] = []

    def keep(config: StudyConfig, words: list[str]) -> int:
        configs.append(config)
        return 0

    words = ["experiment=smoke", "tracker=wandb_offline", f"run.root={tmp_path}", *overrides]
    run_with_hydra("sweep", words, keep)
    folder = StudyFolder(tmp_path / "smoke")
    folder.write_config(configs[0])
    return Study(configs[0]), folder


def open_tracker(study: Study, folder: StudyFolder) -> Tracker:
    opened = tracker(study, folder)
    assert opened is not None
    return opened


def study_started() -> StudyStarted:
    return StudyStarted("smoke", {"label": "digits", "fingerprint": "0", "classes": 10}, {}, {}, 0.0)


KEY = study_key(study_started())


def trial_started(trial: Trial, attempt: int = 1) -> TrialStarted:
    config = trial.config
    return TrialStarted(
        trial.trial_id, attempt, trial.phase, trial.block, config.seed, trial.cell.values, trial.nuisance, 0.0
    )


def evaluation(trial: Trial, epoch: int, attempt: int = 1, **values: Any) -> Evaluation:
    row = {
        "epoch": epoch,
        "step": 2 * epoch,
        "train_loss": 2.0 - epoch / 2,
        "train_acc": 0.1 + 0.4 * epoch,
        "val_loss": 2.1 - epoch / 2,
        "val_acc": 0.1 + 0.3 * epoch,
        "saturated": None,
        "seconds": 0.5 * epoch,
        "seconds_from": "cpu",
    }
    return Evaluation(trial.trial_id, attempt, row | values, 0.0)


def trial_finished(trial: Trial, attempt: int = 1, status: str = "completed", **final: Any) -> TrialFinished:
    return TrialFinished(trial.trial_id, attempt, status, final, 0.0)


def completed(trial: Trial, attempt: int = 1) -> list[Event]:
    """A whole attempt of three evaluations, best and last 0.7 on validation, 0.9 on train, 0.65 on test."""
    rows = [evaluation(trial, epoch, attempt) for epoch in range(3)]
    return [
        trial_started(trial, attempt),
        *rows,
        trial_finished(trial, attempt, test_acc=0.65, test_loss=1.2, best_test_acc=0.65),
    ]


def three_trials(study: Study) -> list[Trial]:
    relu, sigmoid = study.cells
    nuisance = {"optimizer.lr": LR}
    replicate = study.seeded_trials("replicate", sigmoid, 0, nuisance)[0]
    return [study.tune_trial(relu, 0, nuisance), study.tune_trial(sigmoid, 0, nuisance), replicate]


class WrittenRun:
    """A run as wandb's own file has it."""

    def __init__(self, path: Path) -> None:
        found = list(records(path))
        kinds = [record.WhichOneof("record_type") for record in found]
        self.info = next(record.run for record, kind in zip(found, kinds, strict=True) if kind == "run")
        self.config = {item.key: json.loads(item.value_json) for item in self.info.config.update}
        self.metrics = [record.metric for record, kind in zip(found, kinds, strict=True) if kind == "metric"]
        self.history = [
            self._values(record.history.item) for record, kind in zip(found, kinds, strict=True) if kind == "history"
        ]
        self.summary: dict[str, Any] = {}
        for record, kind in zip(found, kinds, strict=True):
            if kind == "summary":
                self.summary |= self._values(record.summary.update)
        self.exit_codes = [record.exit.exit_code for record, kind in zip(found, kinds, strict=True) if kind == "exit"]

    @staticmethod
    def _values(items: Any) -> dict[str, Any]:
        """Values by key, without those that wandb adds itself."""
        named = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
        return {name: value for name, value in named.items() if not name.startswith("_")}


def written_runs(folder: StudyFolder) -> dict[str, WrittenRun]:
    runs = [WrittenRun(path) for path in sorted(folder.path.glob("wandb/offline-run-*/run-*.wandb"))]
    return {run.info.run_id.replace(f"-{KEY}", ""): run for run in runs}


def service_processes() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if process.name() == "wandb-core"]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def wait_for_rows(folder: StudyFolder, run_id: str) -> None:
    """Until the first rows of a run are on the disk, so that wandb is in full swing."""

    def there() -> bool:
        files = list(folder.path.glob(f"wandb/*/run-{run_id}-*.wandb"))
        return bool(files) and files[0].stat().st_size > 1000

    wait_until(there)


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


@pytest.fixture
def run_file(tmp_path: Path) -> RunFile:
    """The file of a run with three rows, one of which is longer than a block of the file."""
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[0]
    long = evaluation(trial, 3, note="x" * 100_000)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(trial)[:3], long, completed(trial)[-1]]:
        subscriber(event)
    assert subscriber.close(CLOSE_SECONDS).problems == ()
    (path,) = folder.path.glob("wandb/*/*.wandb")
    return RunFile(path, rows=3)


def test_file_that_lacks_rows_or_its_end_is_not_whole(run_file: RunFile) -> None:
    whole = run_file.path.read_bytes()
    with pytest.raises(RecordsError, match="3 of 4 rows are in"):
        RunFile(run_file.path, rows=4).check()
    run_file.path.write_bytes(whole[:-10])
    with pytest.raises(RecordsError, match=r"3 of 3 rows .*, without its end"):
        run_file.check()
    run_file.path.write_bytes(whole[:50_000])
    with pytest.raises(RecordsError, match=r"2 of 3 rows .*, without its end"):
        run_file.check()


def test_file_that_is_damaged_empty_or_gone_is_not_whole(run_file: RunFile) -> None:
    whole = run_file.path.read_bytes()
    run_file.path.write_bytes(whole[:50_000] + b"y" + whole[50_001:])
    with pytest.raises(RecordsError, match="checksum does not fit"):
        run_file.check()
    run_file.path.write_bytes(b"")
    with pytest.raises(RecordsError, match="holds no run"):
        run_file.check()
    run_file.path.unlink()
    with pytest.raises(RecordsError, match="cannot be read"):
        run_file.check()


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


def alerts(folder: StudyFolder) -> list[tuple[str, str]]:
    found = [record for path in folder.path.glob("wandb/*study*/*.wandb") for record in records(path)]
    return [(one.alert.title, one.alert.text) for one in found if one.WhichOneof("record_type") == "alert"]


def test_a_study_that_goes_quiet_is_told_once_and_again_after_the_next_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(subscriber, "STALL_PAUSES", 0)
    study, folder = make_study(tmp_path, "tracker.alert=true")
    tracked = open_tracker(study, folder)
    tracked(study_started())
    wait_until(lambda: len(alerts(folder)) == 1)
    time.sleep(1)
    tracked(StudyResumed(0, 0.0))
    wait_until(lambda: len(alerts(folder)) == 2)
    assert tracked.close(CLOSE_SECONDS).problems == ()
    assert {title for title, _ in alerts(folder)} == {"actsweep: smoke has stalled"}


def test_a_study_that_fails_is_told_with_the_reason_where_that_is_asked_for(tmp_path: Path) -> None:
    for name, told in (("true", [("actsweep: smoke has failed", "no trial has a result")]), ("false", [])):
        study, folder = make_study(tmp_path / name, f"tracker.alert={name}")
        tracked = open_tracker(study, folder)
        tracked(study_started())
        tracked.fail("no trial has a result")
        assert tracked.close(CLOSE_SECONDS).problems == ()
        assert alerts(folder) == told


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
