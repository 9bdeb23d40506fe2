"""What W&B is told of a trial, as plain values."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actsweep.curves import Curve, measure_curve
from actsweep.events import Row, StudyStarted, TrialEnd, TrialFailed, TrialFinished, TrialStarted, TrialStopped
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.study import Study, all_settings, swept_paths
from actsweep.study.space import Value, text

_LONGEST_NAME = 128  # W&B's own limits, in characters
_LONGEST_TAG = 64


@dataclass(frozen=True)
class RunDescription:
    """What a run is, before its first row.

    Attributes:
        run_id: the trial's id and the study's key, since two studies may share a trial; from the second attempt on with
            the attempt's number, so that no attempt hides another.
        name: the arm, then every other swept setting and the seed.
        group: the cell's label.
        job_type: the phase.
        tags: the phase, the arm and the study, by which runs of several studies in one project are told apart.
        config: each swept setting by its short name, what identifies the trial, and its whole configuration as `trial`.
    """

    run_id: str
    name: str
    group: str
    job_type: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]


def study_key(started: StudyStarted) -> str:
    """8 hex digits that tell a study from others of its name: by when it began."""
    return hashlib.sha256(f"{started.name} {started.time!r}".encode()).hexdigest()[:8]


def run_id(key: str, started: TrialStarted) -> str:
    """The id of the run of one attempt; see `RunDescription`."""
    return f"{started.trial_id}-{key}{f'-{started.attempt}' if started.attempt > 1 else ''}"


def describe(study: Study, key: str, started: TrialStarted) -> RunDescription:
    """The run of one attempt at a trial.

    Args:
        study: the study.
        key: see `study_key`.
        started: how the attempt began.
    """
    cell = study.cell_at(started.cell)
    values = {**cell.values, **started.nuisance}
    swept = {study.short_names[path]: value for path, value in values.items()}
    arm, *others = (_short(value) for value in swept.values())
    settings = zip(list(swept)[1:], others, strict=True)
    name = " ".join([arm, *(f"{key}={value}" for key, value in settings), f"seed={started.seed}"])
    return RunDescription(
        run_id=run_id(key, started),
        name=name[:_LONGEST_NAME],
        group=cell.label[:_LONGEST_NAME],
        job_type=started.phase,
        tags=(started.phase, arm[:_LONGEST_TAG], study.config.run.name[:_LONGEST_TAG]),
        config={
            "study": study.config.run.name,
            "study_id": key,
            "phase": started.phase,
            "block": started.block,
            "seed": started.seed,
            "trial_id": started.trial_id,
            "attempt": started.attempt,
            **swept,
            "trial": study.trial_config(cell, started.nuisance, started.seed).model_dump(mode="json"),
        },
    )


def describe_alone(config: StudyConfig, trial: TrialConfig, trial_id: str) -> RunDescription:
    """The run of a trial that is of no study: by itself, or one that W&B has proposed."""
    settings = all_settings(config)
    swept = {path.rsplit(".", 1)[-1]: settings[path] for path in swept_paths(config.study) if path in settings}
    named = " ".join(f"{key}={_short(value)}" for key, value in swept.items())
    return RunDescription(
        run_id=trial_id,
        name=f"{named} seed={trial.seed}"[:_LONGEST_NAME],
        group=trial.model.activation[:_LONGEST_NAME],
        job_type="train",
        tags=("train", trial.model.activation[:_LONGEST_TAG], config.run.name[:_LONGEST_TAG]),
        config={
            "study": config.run.name,
            "phase": "train",
            "seed": trial.seed,
            "trial_id": trial_id,
            **swept,
            "trial": trial.model_dump(mode="json"),
        },
    )


def history_row(row: Row) -> dict[str, Any]:
    """A row as W&B gets it: what was recorded, and as `gap` the training minus the validation accuracy."""
    gap = {"gap": row["train_acc"] - row["val_acc"]} if row.get("train_acc") is not None else {}
    return {**_recorded(row), **gap}


def _recorded(row: Row) -> dict[str, Any]:
    """What was recorded; W&B keeps numbers that are not finite, so those stay."""
    return {key: value for key, value in row.items() if value is not None}


def result_summary(epochs: int, classes: int, rows: Sequence[Row], final: Row, status: str) -> dict[str, Any]:
    """What the trial came to, by the same definitions as in a study's results; what it does not have is left out.

    Args:
        epochs: of the whole training.
        classes: of the data.
        rows: the trial's evaluations, at least one.
        final: what is measured once, at its end.
        status: completed, diverged or stopped.
    """
    last = {**rows[-1], **final, "status": status}
    curve = Curve.from_rows([*rows[:-1], last])
    measured = measure_curve(curve, epochs, classes)
    summary = {
        **final,
        "best_val_acc": measured["best_val_acc"],
        "test_acc": measured["test_acc"],
        "gap_end": measured["gap_end_test"],
        "gap_best": measured["gap_best"],
        "diverged": bool(measured["diverged"]),
        "epochs_run": last["epoch"],
        "status": status,
    }
    return _recorded(summary)


def end_summary(epochs: int, classes: int, rows: Sequence[Row], end: TrialEnd) -> dict[str, Any]:
    """What an attempt came to, or why it ended without a result; see `result_summary`."""
    match end:
        case TrialFinished():
            return result_summary(epochs, classes, rows, end.final, end.status)
        case TrialStopped():
            return result_summary(epochs, classes, rows, {}, "stopped")
        case TrialFailed():
            return {"status": "failed", "failure": f"{end.reason}: {end.message}"}


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else text(value)
