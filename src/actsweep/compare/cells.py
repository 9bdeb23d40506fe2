"""What is said of one cell: shares, times, means and the curve of best-of-k."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from actsweep.compare.statistics.estimates import ert, expected_best_of_k, mean_of, wilson
from actsweep.compare.trials.table import Cell
from actsweep.curves import AVERAGED, TIME_UNITS

TARGETS = ("hi", "lo")
CELL_LEVEL = 0.95  # of the intervals that describe a cell by itself

CellRow = dict[str, float | list[float]]


def cell_row(replicates: Cell, tuned: Cell, own: Iterable[str] = ()) -> CellRow:
    """One cell's results, from its replicates and, for `best_of_k`, its tune trials; NaN for what it does not have.

    `own` names further measures, those of plugins, whose means are given.
    """
    n, healthy = len(replicates), int(replicates.healthy.sum())
    failure_low, failure_high = wilson(n - healthy, n)
    row: CellRow = {
        "n": n,
        "units": len(np.unique(replicates.unit)),
        "healthy": healthy,
        "failure_share": replicates.failure_share,
        "failure_share_low": failure_low,
        "failure_share_high": failure_high,
        "diverged": int(replicates["diverged"].sum()),
        "stuck": int(replicates["stuck"].sum()),
        "lrs": np.unique(replicates.lr[~np.isnan(replicates.lr)]).tolist(),
        "best_val_acc_median": float(np.median(replicates["best_val_acc"])) if n else float("nan"),
    }
    for target in TARGETS:
        row |= _target_part(replicates, target)
    for name in (*AVERAGED, *own):
        row |= _mean_part(replicates, name, f"{name}_mean")
    test_acc = replicates.known("test_acc")
    row["test_acc_sd"] = float(test_acc.std(ddof=1)) if len(test_acc) > 1 else float("nan")
    row["test_acc_healthy_mean"] = _mean(replicates.healthy_only, "test_acc")
    row["best_of_k"] = expected_best_of_k(tuned.known("best_val_acc")).tolist()
    return row


def reached_share(cell: Cell, target: str) -> float:
    """Share of the trials that reached the target; NaN without trials or target."""
    reached = cell.known(f"reached_{target}")
    return float(reached.mean()) if len(reached) else float("nan")


def _target_part(cell: Cell, target: str) -> CellRow:
    reached = cell.known(f"reached_{target}")
    low, high = wilson(int(reached.sum()), len(reached))
    part: CellRow = {
        f"reached_{target}": reached_share(cell, target),
        f"reached_{target}_low": low,
        f"reached_{target}_high": high,
    }
    for unit in TIME_UNITS:
        name = f"{unit}_to_target_{target}"
        part |= _mean_part(cell, name, f"rmst_{unit}_{target}")
        part[f"ert_{unit}_{target}"] = ert(cell[name], cell[f"reached_{target}"] == 1)
    return part


def _mean_part(cell: Cell, name: str, key: str) -> CellRow:
    """A mean over units with Student's interval."""
    mean = mean_of(cell.units(name), CELL_LEVEL)
    return {key: mean.estimate, f"{key}_low": mean.low, f"{key}_high": mean.high}


def _mean(cell: Cell, name: str) -> float:
    return mean_of(cell.units(name), CELL_LEVEL).estimate
