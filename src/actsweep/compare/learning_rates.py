"""How much a comparison owes to the learning rate: a description from the tune trials, with no interval."""

from __future__ import annotations

import numpy as np

from actsweep.compare.trials.table import Cell

NAN = float("nan")


def learning_rate_view(a: Cell, b: Cell) -> dict[str, float]:
    """Best validation accuracy of both arms at the learning rate that was best for each.

    `a` and `b` hold the tune trials of the two arms in one stratum. An arm without a trial at the other's best rate
    shows its trials at the nearest one, on the log scale. NaN where there are no tune trials with a learning rate.
    """
    view: dict[str, float] = {}
    for name, chooser in (("a", a), ("b", b)):
        lr = _best_lr(chooser)
        view[f"lr_{name}"] = lr
        view[f"a_at_lr_{name}"] = _best_at(a, lr)
        view[f"b_at_lr_{name}"] = _best_at(b, lr)
    return view


def _best_lr(cell: Cell) -> float:
    tuned = cell.only(cell.lr > 0)
    return float(tuned.lr[np.argmax(tuned["best_val_acc"])]) if len(tuned) else NAN


def _best_at(cell: Cell, lr: float) -> float:
    """Mean best validation accuracy of the trials at the learning rate nearest to `lr`."""
    tuned = cell.only(cell.lr > 0)
    if len(tuned) == 0 or np.isnan(lr):
        return NAN
    distance = np.abs(np.log(tuned.lr / lr))
    return float(tuned["best_val_acc"][distance == distance.min()].mean())
