"""Whether a mirror is that of a study's records, whatever was changed in it."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from actsweep.events import (
    Evaluation,
    Event,
    StopSpared,
    StudyFinished,
    StudyRecord,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records import StudyFolder
from actsweep.search.mirror import Mirror
from actsweep.search.mirrored import mirror_problem
from actsweep.settings import StudyConfig
from actsweep.study import Study

Compose = Callable[..., StudyConfig]


@pytest.fixture
def study(compose: Compose) -> Study:
    return Study(compose("experiment=smoke", "scheduler=asha", "trainer.epochs=4"))


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


def events_of(study: Study) -> list[Event]:
    """Tune trials that came to each end, one without numbers, and one that runs."""
    ends = ("completed", "stopped", "failed", "spared", "running")
    happened: list[Event] = [StudyStarted("smoke", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 0.0)]
    for number, end in enumerate(ends):
        trial = study.tune_trial(study.cells[number % 2], 0, {"optimizer.lr": 0.001 * (1 + number)})
        name = trial.trial_id
        happened.append(TrialStarted(name, 1, "tune", 0, 7, trial.cell.values, trial.nuisance, 100.0))
        for epoch, accuracy in enumerate((0.1, 0.6, math.nan)):
            row = {"epoch": epoch, "val_acc": accuracy, "train_loss": 1.0, "wall": 2.0 * epoch}
            happened.append(Evaluation(name, 1, row, 100.0))
        match end:
            case "completed":
                happened.append(TrialFinished(name, 1, "completed", {}, 101.0))
            case "stopped":
                happened.append(TrialStopped(name, 1, 1, 101.0))
            case "failed":
                happened.append(TrialFailed(name, 1, "error", "no", False, 101.0))
            case "spared":
                happened += [StopSpared(name, 1, 1, 101.0), TrialFinished(name, 1, "completed", {}, 101.0)]
    return happened


def record_of(events: list[Event]) -> StudyRecord:
    record = StudyRecord()
    for event in events:
        record(event)
    return record


def write(study: Study, folder: StudyFolder) -> StudyRecord:
    """The mirror of a study that has ended, and the record of what happened."""
    Mirror(study, folder, record_of(events_of(study))).close()
    return record_of([*events_of(study), StudyFinished(200.0)])


def change(folder: StudyFolder, statement: str) -> None:
    with closing(sqlite3.connect(folder.optuna)) as connection, connection:
        connection.execute(statement)


def test_what_the_mirror_writes_agrees(study: Study, folder: StudyFolder) -> None:
    record = write(study, folder)
    assert mirror_problem(study, folder, record, "smoke") is None


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE trial_values SET value = value + 1e-9 WHERE trial_id = 1", "is not as in the ledger"),
        ("UPDATE trials SET state = 'PRUNED' WHERE trial_id = 1", "is not as in the ledger"),
        ("UPDATE trials SET datetime_complete = datetime_start", "is not as in the ledger"),
        ("UPDATE trial_params SET param_value = param_value * 2 WHERE param_name = 'lr'", "is not as in the ledger"),
        ("UPDATE trial_intermediate_values SET intermediate_value = 0.5 WHERE step = 1", "is not as in the ledger"),
        ("UPDATE trial_intermediate_values SET intermediate_value_type = 'INF_POS' WHERE step = 2", "is not as in the"),
        ("UPDATE trial_user_attributes SET value_json = '0' WHERE key = 'rung'", "is not as in the ledger"),
        ("UPDATE trial_user_attributes SET value_json = '\"x\"' WHERE key = 'trial_id'", "which is no tune trial"),
        ("UPDATE studies SET study_name = 'other'", "mirrors the study 'other', not 'smoke'"),
        ("DELETE FROM trials WHERE trial_id = 1", "holds 3 trials, the ledger 4 tune trials"),
        ("DROP TABLE studies", "cannot be read"),
        ("UPDATE alembic_version SET version_num = 'x'", "cannot be read"),
    ],
)
def test_what_was_changed_is_found(study: Study, folder: StudyFolder, statement: str, problem: str) -> None:
    record = write(study, folder)
    change(folder, statement)
    assert problem in (mirror_problem(study, folder, record, "smoke") or "")


@pytest.mark.parametrize("content", [b"", b"none" * 5000])
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(
    study: Study, folder: StudyFolder, content: bytes
) -> None:
    record = write(study, folder)
    folder.optuna.write_bytes(content)
    assert "cannot be read" in (mirror_problem(study, folder, record, "smoke") or "")
    assert folder.optuna.read_bytes() == content


def test_that_of_a_study_that_goes_on_may_be_behind_but_holds_no_other_trials(
    study: Study, folder: StudyFolder
) -> None:
    write(study, folder)
    record = record_of(events_of(study))
    change(folder, "DELETE FROM trials WHERE trial_id = 1")
    assert mirror_problem(study, folder, record, "smoke") is None
    change(folder, "UPDATE trial_user_attributes SET value_json = '\"x\"' WHERE key = 'trial_id'")
    assert "which is no tune trial" in (mirror_problem(study, folder, record, "smoke") or "")
