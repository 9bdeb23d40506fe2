"""The table of curves, one row per trial and evaluation, rebuilt from a study's record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actsweep.events import StudyRecord, TrialRecord
from actsweep.records.folder import write_whole
from actsweep.space import text
from actsweep.study import PHASES, Study

_INTEGERS = ("seed", "block", "epoch", "step")
_TEXTS = ("trial_id", "phase", "status", "seconds_from")
_NUMBERS = (
    *("seconds", "wall", "train_loss", "train_acc", "val_loss", "val_acc"),
    *("test_loss", "test_acc", "best_test_acc", "step_ms", "grad_slope", "saturated", "dead"),
)


def curve_rows(study: Study, record: StudyRecord) -> Iterator[list[dict[str, Any]]]:
    """The rows of each ended trial, in an order that does not depend on when trials ran.

    Yields:
        per trial its rows by epoch; what is measured once stands on the last row.
    """
    places = {tuple(cell.values.values()): index for index, cell in enumerate(study.cells)}

    def order(trial: TrialRecord) -> tuple[int, int, int, str]:
        start = trial.started
        cell = tuple(start.cell[path] for path in (study.factor, *study.strata))
        return PHASES.index(start.phase), places[cell], start.block, start.trial_id

    for trial in sorted((trial for trial in record.trials.values() if trial.ended and trial.rows), key=order):
        yield _rows_of(study, trial)


def write_curves(path: Path, study: Study, record: StudyRecord) -> None:
    """Write `curves.parquet`; a value that was not recorded is null, a loss that is not finite stays so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row for trial in curve_rows(study, record) for row in trial]
    swept = list(study.short_names.values())
    names = ["trial_id", "phase", *swept, *_INTEGERS, *_NUMBERS, "seconds_from", "status"]
    types = (
        dict.fromkeys(_INTEGERS, pa.int64())
        | dict.fromkeys(_TEXTS, pa.string())
        | dict.fromkeys(_NUMBERS, pa.float64())
    )
    columns = {name: _column([row.get(name) for row in rows], types.get(name)) for name in names}
    with write_whole(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def _column(values: list[Any], kind: Any) -> Any:
    import pyarrow as pa

    if kind is None and len({type(value) for value in values if value is not None}) > 1:
        values = [None if value is None else text(value) for value in values]
    return pa.array(values, type=kind)


def _rows_of(study: Study, trial: TrialRecord) -> list[dict[str, Any]]:
    start = trial.started
    swept = {study.short_names[path]: value for path, value in {**start.cell, **start.nuisance}.items()}
    fixed = {"trial_id": start.trial_id, "phase": start.phase, "seed": start.seed, "block": start.block, **swept}
    rows = [{**fixed, **row} for row in trial.rows]
    rows[-1] |= {**trial.final, "step_ms": trial.step_ms, "status": trial.status}
    return rows
