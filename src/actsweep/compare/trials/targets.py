"""The targets that arms are compared at, derived from the replicates before comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actsweep.compare.trials.table import Cell
from actsweep.curves import stuck_below

NAN = float("nan")


@dataclass(frozen=True)
class Target:
    """Target accuracies and the matched train loss of one stratum; NaN for what cannot be had."""

    hi: float
    lo: float
    loss_match: float
    rule: str


def find_target(cells: Sequence[Cell], classes: int, hi: float | None, lo: float | None) -> Target:
    """The targets of one stratum, from its replicates.

    Args:
        cells: the replicates of each arm in the stratum; empty ones are passed over.
        classes: number of classes, which sets the chance level.
        hi: a fixed target instead of the derived one: the 10th percentile of the confirmed best accuracy over the
            healthy trials of the best cell, less one percentage point.
        lo: a fixed target instead of the derived one: 95 % of the weakest unstuck cell's median best accuracy, at most
            `hi`.
    """
    cells = [cell for cell in cells if len(cell)]
    medians = [float(np.median(cell["best_val_acc"])) for cell in cells]
    unstuck = [(cell, m) for cell, m in zip(cells, medians, strict=True) if m > stuck_below(classes)]
    high = _derived_hi(cells, medians) if hi is None else hi
    low = min([high, *(0.95 * median for _, median in unstuck)]) if lo is None else lo
    return Target(high, low, _loss_match([cell for cell, _ in unstuck]), _rule(hi, lo))


def _derived_hi(cells: Sequence[Cell], medians: Sequence[float]) -> float:
    best = [cell for cell, median in zip(cells, medians, strict=True) if median == max(medians)]
    confirmed = [values for cell in best if len(values := cell.healthy_only.known("confirmed_best"))]
    return max((float(np.percentile(values, 10)) - 0.01 for values in confirmed), default=NAN)


def _loss_match(unstuck: Sequence[Cell]) -> float:
    """The highest of the cells' 90th percentiles of the healthy trials' smallest train loss."""
    smallest = [values for cell in unstuck if len(values := cell.healthy_only.known("train_loss_min"))]
    return max((float(np.percentile(values, 90, method="higher")) for values in smallest), default=NAN)


def _rule(hi: float | None, lo: float | None) -> str:
    if (hi is None) == (lo is None):
        return "derived" if hi is None else "fixed"
    return "hi derived, lo fixed" if hi is None else "hi fixed, lo derived"
