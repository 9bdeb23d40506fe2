"""The table of curves, one row per trial and evaluation, rebuilt from a study's record."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actsweep.curves import GRAD_NORMS
from actsweep.events import StudyRecord, TrialRecord, TrialStarted
from actsweep.records.files import write_whole
from actsweep.study import PHASES, Study
from actsweep.study.space import Value, text

if TYPE_CHECKING:
    import pyarrow as pa

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
    columns = _SweptColumns(study)
    for trial in sorted(ended, key=order):
        yield _rows_of(study, trial, columns.of(trial.started))


def write_curves(path: Path, study: Study, trials: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """Write `curves.parquet`; see `curve_table`.

    Args:
        path: the file.
        study: the study.
        trials: per trial its rows, from `curve_rows`.
    """
    import pyarrow.parquet as pq

    with write_whole(path) as temporary:
        pq.write_table(curve_table(study, trials), temporary)


def curve_table(study: Study, trials: Iterable[Sequence[Mapping[str, Any]]]) -> "pa.Table":
    """The table of curves; a value that was not recorded is null, a loss that is not finite stays so.

    Args:
        study: the study.
        trials: per trial its rows, from `curve_rows`.
    """
    import pyarrow as pa

    trials = list(trials)
    rows = [row for trial in trials for row in trial]
    swept = list(study.short_names.values())
    numbers = (*_NUMBERS, *(name for name in GRAD_NORMS if any(name in trial[0] for trial in trials if trial)))
    names = list(dict.fromkeys(["trial_id", "phase", *swept, "lr", *_INTEGERS, *numbers, "seconds_from", "status"]))
    types = (
        dict.fromkeys(_INTEGERS, pa.int64()) | dict.fromkeys(_TEXTS, pa.string()) | dict.fromkeys(numbers, pa.float64())
    )
    return pa.table({name: pa.array([row.get(name) for row in rows], type=types.get(name)) for name in names})


class _SweptColumns:
    """A trial's swept settings by their short names, as one column can hold them for all trials of a study."""

    def __init__(self, study: Study) -> None:
        self._names = study.short_names
        self._known: dict[str, list[Value]] = {}
        for cell in study.cells:
            for path, value in cell.values.items():
                self._known.setdefault(path, []).append(value)
            for dimension in cell.space:
                self._known.setdefault(dimension.path, []).extend(dimension.extremes())
        self._scientific = {study.factor, *study.strata}
        self._as_text = {path for path, known in self._known.items() if _need_text(known)}
        self._as_number = {path for path, known in self._known.items() if all(map(_is_number, known))}

    def of(self, start: TrialStarted) -> dict[str, Value]:
        """The columns of one trial; numbers that are tuned are floats, since a range may have whole ends."""
        return {self._names[path]: self._value(path, value) for path, value in {**start.cell, **start.nuisance}.items()}

    def _value(self, path: str, value: Value) -> Value:
        if path in self._as_number - self._scientific:
            return float(str(value))
        return text(value) if path in self._as_text else value


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _need_text(known: Collection[Value]) -> bool:
    """Whether a column's values are of several kinds, or may be null."""
    kinds = {type(value) for value in known}
    return len(kinds) > 1 or type(None) in kinds


def _rows_of(study: Study, trial: TrialRecord, swept: Mapping[str, Value]) -> list[dict[str, Any]]:
    start = trial.started
    lr = study.trial_config(study.cell_at(start.cell), start.nuisance, start.seed).optimizer.lr
    fixed = {"trial_id": start.trial_id, "phase": start.phase, "seed": start.seed, "block": start.block, "lr": lr}
    cluster = study.config.cluster
    shared = 0 < cluster.resources.gpu < 1 or (cluster.resources.gpu > 0 and cluster.side_by_side > 1)
    rows = [{**fixed, **swept, **row, **(_uncontended(row, trial.step_ms) if shared else {})} for row in trial.rows]
    rows[-1] |= {**trial.final, "step_ms": trial.step_ms, "status": trial.status, "rung": trial.rung}
    return rows


def _uncontended(row: Mapping[str, Any], step_ms: float | None) -> dict[str, Any]:
    """Training time on a GPU that trials shared: steps times what one takes alone, unknown where that was not measured.

    The wall time between epoch ends, which the trial recorded, would be that of all trials on the device.
    """
    if row.get("seconds_from") != "wall":
        return {}
    if step_ms is None:
        return {"seconds": None, "seconds_from": None}
    return {"seconds": row["step"] * step_ms / 1000, "seconds_from": "steps"}
