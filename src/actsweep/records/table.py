"""The table of curves, one row per trial and evaluation, rebuilt from a study's record."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from actsweep.events import StudyRecord, TrialRecord, TrialStarted
from actsweep.records.folder import write_whole
from actsweep.space import Value, text
from actsweep.study import PHASES, Study

_INTEGERS = ("seed", "block", "epoch", "step", "rung")
_TEXTS = ("trial_id", "phase", "status", "seconds_from")
_NUMBERS = (
    *("seconds", "wall", "train_loss", "train_acc", "val_loss", "val_acc"),
    *("test_loss", "test_acc", "best_test_acc", "step_ms", "grad_slope", "saturated", "dead"),
)


def curve_rows(study: Study, record: StudyRecord) -> Iterator[list[dict[str, Any]]]:
    """The rows of each ended trial that counts, in an order that does not depend on when trials ran.

    A replicate of a point that is no longer the best of its block, since points were added, does not count.

    Yields:
        per trial its rows by epoch; what is measured once stands on the last row.
    """
    places = {cell.label: index for index, cell in enumerate(study.cells)}

    def order(trial: TrialRecord) -> tuple[int, int, int, str]:
        start = trial.started
        return PHASES.index(start.phase), places[study.cell_at(start.cell).label], start.block, start.trial_id

    ended = (trial for trial in record.trials.values() if trial.ended and trial.rows and record.counts(trial))
    for trial in sorted(ended, key=order):
        yield _rows_of(study, trial)


def write_curves(path: Path, study: Study, record: StudyRecord) -> None:
    """Write `curves.parquet`; a value that was not recorded is null, a loss that is not finite stays so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row for trial in curve_rows(study, record) for row in trial]
    swept = list(study.short_names.values())
    names = list(dict.fromkeys(["trial_id", "phase", *swept, "lr", *_INTEGERS, *_NUMBERS, "seconds_from", "status"]))
    types = (
        dict.fromkeys(_INTEGERS, pa.int64())
        | dict.fromkeys(_TEXTS, pa.string())
        | dict.fromkeys(_NUMBERS, pa.float64())
    )
    columns = {name: pa.array([row.get(name) for row in rows], type=types.get(name)) for name in names}
    with write_whole(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def _columns(study: Study, start: TrialStarted) -> dict[str, Value]:
    """A trial's swept settings by their short names, as one column can hold them for all trials."""
    columns: dict[str, Value] = {}
    for path, value in start.cell.items():
        columns[study.short_names[path]] = _of_one_kind(value, [cell.values[path] for cell in study.cells])
    for path, value in start.nuisance.items():
        own = [dimension for cell in study.cells for dimension in cell.space if dimension.path == path]
        known = [value for dimension in own for value in dimension.extremes()]
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
        columns[study.short_names[path]] = float(str(value)) if numbers else _of_one_kind(value, known)
    return columns


def _of_one_kind(value: Value, known: Collection[Value]) -> Value:
    """A value, or its text where a column's values are of several kinds or may be null."""
    kinds = {type(other) for other in known}
    return text(value) if len(kinds) > 1 or type(None) in kinds else value


def _rows_of(study: Study, trial: TrialRecord) -> list[dict[str, Any]]:
    start = trial.started
    lr = study.trial_config(study.cell_at(start.cell), start.nuisance, start.seed).optimizer.lr
    fixed = {"trial_id": start.trial_id, "phase": start.phase, "seed": start.seed, "block": start.block, "lr": lr}
    rows = [{**fixed, **_columns(study, start), **row} for row in trial.rows]
    rows[-1] |= {**trial.final, "step_ms": trial.step_ms, "status": trial.status, "rung": trial.rung}
    return rows
