"""Results as plain rows: numbers, text, lists and None, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from actsweep.compare.comparisons import Comparison
from actsweep.compare.judging.verdicts import Verdict
from actsweep.compare.statistics.estimates import Interval
from actsweep.compare.trials.inputs import StratumValue
from actsweep.compare.trials.table import Table
from actsweep.compare.wording import WORDINGS
from actsweep.curves import LISTED, FloatArray

Row = dict[str, Any]

FLAGS = ("diverged", "stuck", "reached_hi", "reached_lo")
EPOCHS = ("best_epoch", "epochs_to_target_hi", "epochs_to_target_lo")


def place(names: Sequence[str], strata: Sequence[StratumValue]) -> Row:
    """The stratum columns of a row; None where a column is absent."""
    return dict(zip(names, strata or (None,) * len(names), strict=True))


def trial_rows(table: Table, factor: str, stratum_names: Sequence[str], own: Iterable[str]) -> list[Row]:
    """One row per trial with its measures, `own` at the end; a failed trial is listed with None for them."""
    columns = {name: _column(table.measures[name], table.failed, name) for name in (*LISTED, *own)}
    measured = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [
        {
            "trial_id": trial.trial_id,
            "phase": trial.phase,
            factor: trial.arm,
            **place(stratum_names, trial.strata),
            "lr": trial.lr,
            "seed": trial.seed,
            "block": trial.block,
            "status": trial.curve.status,
            **measures,
        }
        for trial, measures in zip(table.trials, measured, strict=True)
    ]


def comparison_row(comparison: Comparison, level: float, where: Row) -> Row:
    """One comparison; `where` holds the pair, the stratum and the phase."""
    c = comparison
    return plain(
        {
            "endpoint": c.endpoint,
            **where,
            **_interval(c.interval),
            "level": level,
            "p_value": c.interval.p_value,
            "p_permutation": c.p_permutation,
            "n_a": c.n[0],
            "n_b": c.n[1],
            "units_a": c.units[0],
            "units_b": c.units[1],
            "bound": c.bound,
            "largest": c.largest,
            "equivalent": c.equivalent,
            "healthy": plain(_interval(c.healthy)),
            "parts": plain(dict(c.parts)) or None,
        }
    )


def verdict_row(verdict: Verdict, level: float, where: Row) -> Row:
    """One verdict; `where` holds the pair, the stratum and the phase."""
    shown = verdict.shown
    return plain(
        {
            "claim": verdict.claim,
            "claim_title": verdict.title,
            "statement": verdict.statement,
            "verdict": verdict.verdict,
            **where,
            **_interval(shown.interval),
            "level": level,
            "estimate_kind": WORDINGS[shown.name].kind,
            "estimate_of": list(shown.units),
            "claim_asks": shown.asks,
            "threshold": shown.threshold,
            "bound": shown.bound,
            "largest": shown.largest,
            "more_units": verdict.more_units,
            "why": verdict.why,
        }
    )


def plain(row: Mapping[str, Any]) -> Row:
    """The row with None for NaN."""
    return {name: null(value) for name, value in row.items()}


def null(value: Any) -> Any:
    """`value`, or None for NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def whole(value: float) -> float | int:
    """`value` as an int where it is one."""
    return int(value) if float(value).is_integer() else value


def _interval(interval: Interval) -> Row:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _column(values: FloatArray, failed: np.ndarray[Any, np.dtype[np.bool_]], name: str) -> list[Any]:
    """A measure of all trials as plain values; None for NaN and for failed trials (whose flags are False)."""
    missing = np.isnan(values) | failed
    filled = np.where(missing, 0.0, values)
    kind = bool if name in FLAGS else np.int64 if name in EPOCHS else np.float64
    column = filled.astype(kind).astype(object)
    if name not in ("diverged", "stuck"):
        column[missing] = None
    return list(column.tolist())
