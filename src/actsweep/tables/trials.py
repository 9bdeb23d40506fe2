"""Tables to trials with their curves, for the analysis."""

from __future__ import annotations

from typing import Any

import numpy as np

from actsweep.compare.trials.inputs import StratumValue, TrialCurve
from actsweep.compare.wording import few
from actsweep.curves import GRAD_NORMS, SERIES, Curve
from actsweep.study.space import text
from actsweep.tables.completeness import check_study
from actsweep.tables.layout import final_status, has_phase, lay_out
from actsweep.tables.schema import ONCE
from actsweep.tables.table import Table

_NOTHING = np.array([])


def trial_curves(table: Table, *, horizon: float | None = None, classes: int = 10) -> list[TrialCurve]:
    """The trials of a table, checked as one study; a horizon is checked but cuts nothing here.

    Args:
        table: what `read_table` gives.
        horizon: the epoch up to which the trials are to be compared; None where all replicates end together.
        classes: number of classes.

    Raises:
        TableError: the trials cannot be compared; the message names the row, the column and the trial.
        RequestError: no replicate was evaluated at the horizon.
    """
    layout = lay_out(table, horizon, classes)
    check_study(layout, horizon)
    schema = table.schema
    strata = zip(*(_of_trials(table, name) for name in schema.stratum), strict=True)
    columns = (_of_trials(table, name) for name in ("trial_id", schema.factor, "lr", "seed", "block"))
    return [
        TrialCurve(trial_id, phase, text(arm), stratum, lr, seed, block, curve)
        for trial_id, arm, lr, seed, block, phase, stratum, curve in zip(
            *columns,
            layout.phase.tolist(),
            strata if schema.stratum else [()] * len(layout.phase),
            _curves(table),
            strict=True,
        )
    ]


def table_warnings(table: Table, trials: list[TrialCurve]) -> list[str]:
    """What was read otherwise than a reader may expect, in plain sentences."""
    warnings = []
    if not has_phase(table) and trials[0].phase == "tune":
        warnings.append(
            "The table has no phase, and a block of a cell holds trials at several lr: all trials count as tune "
            "trials, and no claim can be assessed. A column phase (tune or replicate) tells which are which."
        )
    for name in ("train_loss", "val_loss"):
        lost = _is_lost(table, name)
        if lost.any() and not lost.all():
            where = few([trial.trial_id for trial, ends_early in zip(trials, lost, strict=True) if ends_early])
            warnings.append(
                f"{name} is recorded in {where}, but not at the end: an empty cell, as which a data frame's NaN is "
                "read, says nothing of a divergence. A loss that was not finite is the text nan, or inf."
            )
    for name in (*ONCE, "status"):
        count = int(_is_lost(table, name).sum())
        if count:
            have = "1 trial has" if count == 1 else f"{count} trials have"
            warnings.append(f"{name} is read from a trial's last row only: {have} it on other rows.")
    return warnings


def _is_lost(table: Table, name: str) -> Any:
    """Which trials have a value in the column `name`, but not on their last row; shape (trials,)."""
    if name in table.numbers:
        known = ~np.isnan(table.numbers[name])
    elif name in table.labels:
        known = table.labels[name].codes >= 0
    else:
        return np.zeros(len(table.first), dtype=np.bool_)
    return np.logical_or.reduceat(known, table.first) & ~known[table.last]


def _of_trials(table: Table, name: str) -> list[Any]:
    """Each trial's value in a column of labels, None where nothing is recorded."""
    values: tuple[StratumValue, ...] = table.labels[name].values if name in table.labels else ()
    return [None if code < 0 else values[code] for code in table.label_of_trials(name).tolist()]


def _curves(table: Table) -> list[Curve]:
    """Each trial's curve; a failed trial's is empty, as it is no result."""
    series: dict[str, Any] = {
        name: table.numbers[name] for name in ("epoch", "val_acc", *SERIES) if name in table.numbers
    }
    if "grad_slope" in series:
        series["grad_slope"] = np.where(np.isfinite(series["grad_slope"]), series["grad_slope"], np.nan)
    norms = np.stack([table.numbers[name] for name in GRAD_NORMS if name in table.numbers] or [_NOTHING], axis=1)
    once = {name: _plain(table.numbers[name][table.last]) for name in ONCE if name in table.numbers}
    if "step_ms" in table.numbers:
        once["step_ms"] = _plain(_last_known(table, "step_ms"))
    statuses = final_status(table).tolist()
    rows = zip(*once.values(), strict=True) if once else [()] * len(statuses)
    failed = Curve(_NOTHING, _NOTHING, status="failed")
    return [
        failed
        if status == "failed"
        else Curve(
            **{name: values[first : last + 1] for name, values in series.items()},
            grad_norms=_of_layers(norms[first : last + 1]),
            **dict(zip(once, values, strict=True)),
            status=status or None,
        )
        for first, last, values, status in zip(table.first.tolist(), table.last.tolist(), rows, statuses, strict=True)
    ]


def _of_layers(norms: Any) -> Any:
    """A trial's gradient norms, shape (T, layers), without the layers that it does not have; None where it has none."""
    layers = int(np.isfinite(norms[0]).cumprod().sum()) if len(norms) else 0
    return np.where(np.isfinite(norms), norms, np.nan)[:, :layers] if layers else None


def _last_known(table: Table, name: str) -> Any:
    """Each trial's last recorded value in a column, NaN where there is none; shape (trials,)."""
    known = np.where(np.isnan(table.numbers[name]), -1, np.arange(len(table)))
    at = np.maximum.reduceat(known, table.first)
    return np.where(at < 0, np.nan, table.numbers[name][at])


def _plain(values: Any) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
