"""Why a pair of arms does not have an endpoint, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actsweep.compare.cells import reached_share
from actsweep.compare.trials.table import Cell
from actsweep.compare.wording import AIMS, both
from actsweep.plural import count

ONLY_IF_BOUNDED = "units have one only if their activation is bounded on both sides"
# Measures that a diverged trial does not have, whatever was recorded of it.
_LOST_BY_DIVERGING = ("drop", "gap_end", "gap_match", "saturated")
_RECORDS = {
    "best_test_acc": "test accuracy of the best epoch (best_test_acc)",
    "grad_slope": "gradient slope (grad_slope) at epoch 0",
    "saturated": "share of saturated units (saturated) at the last evaluation",
    "step_ms": "step time (step_ms)",
    "test_acc": "test accuracy (test_acc)",
    "train_acc": "train accuracy (train_acc)",
    "train_loss": "train loss (train_loss)",
}


def why_no_measure(cells: Sequence[Cell], name: str) -> str:
    """Why a measure is missing in those of the cells that have no value of it."""
    lacking = [cell for cell in cells if not len(cell.known(name))]
    if not lacking:
        return "the step times are recorded as zero"  # the one ratio of means that may vanish
    if name in _LOST_BY_DIVERGING:
        for cell in lacking:
            if cell["diverged"].all():
                return f"every run of {cell.arm} diverged, so there is nothing to measure"
    record = _record(lacking, name)
    arms = [cell.arm for cell in lacking]
    if record is None:
        return f"no run of {both(arms, 'or')} came down to a train loss at which gaps could be compared"
    said = f"no {_RECORDS[record]} is recorded for {both(arms)}"
    return f"{said}, as {ONLY_IF_BOUNDED}" if name == "saturated" else said


def _record(lacking: Sequence[Cell], name: str) -> str | None:
    """The column that a missing measure would have needed; None where it is a train loss that was never reached."""

    def any_has(measure: str) -> bool:
        return any(len(cell.known(measure)) for cell in lacking)

    if name == "drop":
        return "best_test_acc" if any_has("test_acc") else "test_acc"
    if name == "gap_end":
        return "test_acc" if any_has("gap_end_val") else "train_acc"
    if name == "gap_match":
        return "train_loss" if not any_has("train_loss_min") else None if any_has("gap_end_val") else "train_acc"
    return name


def why_no_ratio(a: Cell, b: Cell, unit: str, target: str, horizon: float) -> str:
    """Why there is no ratio of times to a target ("hi" or "lo") in a unit of time."""
    aim = AIMS[target]
    shares = [reached_share(cell, target) for cell in (a, b)]
    if all(np.isnan(share) for share in shares):
        return f"no {aim} could be derived from these runs"
    if not any(share > 0 for share in shares):
        return f"neither {a.arm} nor {b.arm} reached the {aim} in {count(horizon, 'epoch')}"
    lacking = [cell.arm for cell in (a, b) if not len(cell.known(f"{unit}_to_target_{target}"))]
    if lacking:
        return f"no {unit} are recorded for {both(lacking)}"
    at_once = [cell.arm for cell in (a, b) if not cell.units(f"{unit}_to_target_{target}").any()]
    return f"{both(at_once)} had reached the {aim} before any training, so there is no ratio of times"
