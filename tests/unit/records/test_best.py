"""Which weights of a cell are worth keeping."""

import math

from actsweep.events import Evaluation, StudyRecord, TrialFailed, TrialFinished, TrialStarted
from actsweep.records import best_of_cells


def recorded(*trials: tuple[str, str, str, list[float], str]) -> StudyRecord:
    """Trials as (id, activation, phase, validation accuracies, status)."""
    record = StudyRecord()
    for name, activation, phase, accuracies, status in trials:
        record(TrialStarted(name, 1, phase, 0, 0, {"model.activation": activation}, {}, 0.0))
        for epoch, accuracy in enumerate(accuracies):
            record(Evaluation(name, 1, {"epoch": epoch, "val_acc": accuracy}, 0.0))
        if status == "failed":
            record(TrialFailed(name, 1, "error", "x", False, 0.0))
        elif status != "running":
            record(TrialFinished(name, 1, status, {}, 0.0))
    return record


def test_a_cells_best_replicate_comes_before_any_tune_trial() -> None:
    record = recorded(
        ("tuned", "relu", "tune", [0.1, 0.99], "completed"),
        ("once", "relu", "replicate", [0.1, 0.8, 0.7], "completed"),
        ("twice", "relu", "replicate", [0.1, 0.75, 0.75], "completed"),
        ("other", "tanh", "tune", [0.1, 0.3], "completed"),
    )
    assert list(best_of_cells(record)) == ["once", "other"]


def test_a_diverged_trial_is_kept_only_where_a_cell_has_nothing_better() -> None:
    record = recorded(
        ("burst", "relu", "replicate", [0.9, math.nan], "diverged"),
        ("tuned", "relu", "tune", [0.1, 0.2], "completed"),
        ("alone", "tanh", "replicate", [0.9, 0.1], "diverged"),
    )
    assert list(best_of_cells(record)) == ["tuned", "alone"]


def test_a_trial_without_a_result_is_no_candidate() -> None:
    record = recorded(
        ("failed", "relu", "replicate", [0.9], "failed"),
        ("running", "relu", "replicate", [0.9], "running"),
        ("done", "relu", "tune", [0.2], "completed"),
    )
    assert list(best_of_cells(record)) == ["done"]
