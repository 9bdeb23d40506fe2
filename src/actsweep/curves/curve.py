"""One trial's evaluations as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, SupportsFloat, cast

import numpy as np
from numpy.typing import NDArray

from actsweep.errors import TableError

FloatArray = NDArray[np.float64]

LOSSES = ("train_loss", "val_loss")
MOST_LAYERS = 100
GRAD_NORMS = tuple(f"grad_norm_{layer}" for layer in range(1, MOST_LAYERS + 1))
"""Columns of the gradient's norm at each hidden layer, from the input to the output."""
SERIES = ("step", "seconds", "train_loss", "train_acc", "val_loss", "grad_slope", "saturated", "dead")
LAST_ROW = ("test_acc", "test_loss", "best_test_acc")


@dataclass(frozen=True, eq=False)
class Curve:
    """One trial's evaluations, in order of epoch.

    Every array has shape (T,), T >= 1 (0 only for a failed trial). In an array NaN means "not recorded" and, in a loss,
    inf stands for any loss that was not finite; a series that was never recorded is None. Accuracies are fractions,
    `seconds` is cumulative exclusive training time, `grad_slope` is in decades per layer, `step_ms` in milliseconds.
    `grad_norms` has shape (T, layers), from the input to the output.

    Raises:
        TableError: no evaluation, arrays of different lengths, or epochs that do not increase.
    """

    epoch: FloatArray
    val_acc: FloatArray
    step: FloatArray | None = None
    seconds: FloatArray | None = None
    train_loss: FloatArray | None = None
    train_acc: FloatArray | None = None
    val_loss: FloatArray | None = None
    grad_slope: FloatArray | None = None
    saturated: FloatArray | None = None
    dead: FloatArray | None = None
    grad_norms: FloatArray | None = None
    test_acc: float | None = None
    test_loss: float | None = None
    best_test_acc: float | None = None
    step_ms: float | None = None
    status: str | None = None

    def __post_init__(self) -> None:
        size = len(self.epoch)
        if size == 0 and self.status != "failed":
            raise TableError("a curve needs at least one evaluation")
        for name in ("val_acc", *SERIES, "grad_norms"):
            values = getattr(self, name)
            if values is not None and len(values) != size:
                raise TableError(f"{name} has {len(values)} evaluations, epoch has {size}")
        if size > 1 and not bool(np.all(self.epoch[1:] > self.epoch[:-1])):
            raise TableError("epoch must increase from one evaluation to the next")

    @property
    def final(self) -> dict[str, float]:
        """What was measured once, at the end, by name; without what was not."""
        values = {name: getattr(self, name) for name in LAST_ROW}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, object]]) -> Curve:
        """Build a curve from one mapping per evaluation, in any order, keyed by the columns of a curve table.

        A missing key or None means "not recorded". A float nan or inf in a loss is a loss that was not finite; in
        any other column it means "not recorded". `test_acc`, `test_loss`, `best_test_acc` and `status` are read from
        the last epoch's row, `step_ms` from the last row that has it.

        Raises:
            TableError: no rows, or two rows of the same epoch.
        """
        ordered = sorted(rows, key=lambda row: _number(row["epoch"]))
        if not ordered:
            raise TableError("a curve needs at least one evaluation")
        last = ordered[-1]
        status = last.get("status")
        step_ms = [value for row in ordered if (value := _scalar(row.get("step_ms"))) is not None]
        fields: dict[str, Any] = {
            "epoch": _column(ordered, "epoch"),
            "val_acc": _column(ordered, "val_acc"),
            **{name: _series(ordered, name) for name in SERIES},
            "grad_norms": _grad_norms(ordered),
            **{name: _scalar(last.get(name)) for name in LAST_ROW},
        }
        return cls(**fields, step_ms=step_ms[-1] if step_ms else None, status=None if status is None else str(status))


def cut(curve: Curve, horizon: float) -> Curve:
    """The curve up to and including epoch `horizon`.

    A curve that loses evaluations also loses what its last row held: its test results, which belong to later weights,
    and its status.

    Raises:
        TableError: no evaluation up to `horizon`.
    """
    if len(curve.epoch) == 0 or curve.epoch[-1] <= horizon:
        return curve
    keep = curve.epoch <= horizon
    arrays = {name: getattr(curve, name) for name in ("epoch", "val_acc", *SERIES, "grad_norms")}
    kept: dict[str, Any] = {name: None if values is None else values[keep] for name, values in arrays.items()}
    return replace(curve, **kept, test_acc=None, test_loss=None, best_test_acc=None, status=None)


def _number(value: object) -> float:
    return float("nan") if value is None else float(cast("SupportsFloat", value))


def _column(rows: Sequence[Mapping[str, object]], name: str) -> FloatArray:
    """One column as an array, NaN where it is not recorded; in a loss what is not finite becomes inf."""
    cells = [row.get(name) for row in rows]
    values = np.array([_number(cell) for cell in cells], dtype=np.float64)
    if name in LOSSES:
        recorded = np.array([cell is not None for cell in cells])
        values[recorded & ~np.isfinite(values)] = np.inf
    else:
        values[~np.isfinite(values)] = np.nan
    return values


def _series(rows: Sequence[Mapping[str, object]], name: str) -> FloatArray | None:
    return _column(rows, name) if any(row.get(name) is not None for row in rows) else None


def _grad_norms(rows: Sequence[Mapping[str, object]]) -> FloatArray | None:
    """The norms of all layers, shape (T, layers); None where the first row has none."""
    names = list(takewhile(lambda name: rows[0].get(name) is not None, GRAD_NORMS))
    return np.stack([_column(rows, name) for name in names], axis=1) if names else None


def _scalar(value: object) -> float | None:
    number = _number(value)
    return number if np.isfinite(number) else None
