"""Many curves side by side, so that a measure is taken of all of them in one array operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actsweep.curves.curve import SERIES, Curve, FloatArray


@dataclass(frozen=True, eq=False)
class Stack:
    """N curves, padded with NaN to the longest.

    `series[name]` has shape (N, T) for `epoch`, `val_acc` and every optional series of a `Curve` (NaN = not recorded);
    `scalars[name]` has shape (N,) for `test_acc`, `best_test_acc` and `step_ms`. `last` (N,) is the index of each
    curve's last evaluation, `said_diverged` (N,) whether its status says that it diverged.
    """

    series: dict[str, FloatArray]
    scalars: dict[str, FloatArray]
    last: NDArray[np.intp]
    said_diverged: NDArray[np.bool_]

    def __getitem__(self, name: str) -> FloatArray:
        """The series `name`, shape (N, T)."""
        return self.series[name]

    @property
    def recorded(self) -> NDArray[np.bool_]:
        """Shape (N, T): True at the evaluations that a curve has, False in the padding."""
        return np.arange(self["epoch"].shape[1]) <= self.last[:, None]

    def final(self, name: str) -> FloatArray:
        """The series `name` at each curve's last evaluation, shape (N,)."""
        return self.at(name, self.last)

    def at(self, name: str, index: NDArray[np.intp]) -> FloatArray:
        """The series `name` at evaluation `index` (N,) of each curve, shape (N,)."""
        return take(self[name], index)


def take(values: FloatArray, index: NDArray[np.intp]) -> FloatArray:
    """One value per row: `values` (N, T) at column `index` (N,)."""
    return values[np.arange(len(values)), index]


def stack(curves: Sequence[Curve]) -> Stack:
    """Pad curves to one length; at least one curve."""
    sizes = np.array([len(curve.epoch) for curve in curves])
    recorded = np.arange(sizes.max()) < sizes[:, None]
    unknown = {size: np.full(size, np.nan) for size in set(sizes.tolist())}

    def padded(name: str) -> FloatArray:
        out = np.full(recorded.shape, np.nan)
        columns = [getattr(curve, name) for curve in curves]
        out[recorded] = np.concatenate(
            [
                unknown[len(curve.epoch)] if values is None else values
                for curve, values in zip(curves, columns, strict=True)
            ]
        )
        return out

    return Stack(
        series={name: padded(name) for name in ("epoch", "val_acc", *SERIES)},
        scalars={
            name: np.array([getattr(curve, name) for curve in curves], dtype=np.float64)
            for name in ("test_acc", "best_test_acc", "step_ms")
        },
        last=sizes - 1,
        said_diverged=np.array([curve.status == "diverged" for curve in curves]),
    )
