"""Of each cell the trial whose weights are worth keeping."""

import math
from collections.abc import Iterator

from actsweep.events import StudyRecord, TrialRecord


def best_of_cells(record: StudyRecord) -> Iterator[str]:
    """Per cell the trial whose weights are worth most: the best replicate, or before there is one the best trial."""
    cells: dict[tuple[object, ...], list[TrialRecord]] = {}
    for trial in record.trials.values():
        if trial.has_result:
            cells.setdefault(tuple(trial.started.cell.values()), []).append(trial)
    for trials in cells.values():
        yield max(trials, key=_worth).started.trial_id


def _worth(trial: TrialRecord) -> tuple[bool, float]:
    accuracies = [row["val_acc"] for row in trial.rows if math.isfinite(row["val_acc"])]
    healthy = trial.status == "completed"
    return healthy and trial.started.phase == "replicate", max(accuracies, default=0.0) if healthy else 0.0
