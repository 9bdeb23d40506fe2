"""Curves over epochs: the layers that a cell's runs are drawn in."""

import warnings
from collections.abc import Sequence

import numpy as np

from actsweep.curves import FloatArray
from actsweep.report.figures.figure import Trace, band, line_and_marker, named, plain, spread, thin_lines
from actsweep.report.figures.runs import Runs, on_one_grid

EPOCH = "Epoch (passes over the training data)"
LAYERS = "Thick line: median; band: lowest to highest; thin lines: single runs"


def stacked(layers: Sequence[Sequence[Trace]]) -> list[Trace]:
    """The layers of several cells in drawing order: all bands, then all thin lines, then all medians."""
    return [trace for layer in zip(*layers, strict=True) for trace in layer]


def layers_of(runs: Runs, epoch: FloatArray, values: FloatArray, unit: str) -> tuple[Trace, Trace, Trace]:
    """Band, single runs and median of one cell.

    Args:
        runs: the cell's.
        epoch: shape (N, T).
        values: shape (N, T), as they are to be shown.
        unit: what stands behind a value.
    """
    low, middle, high, grid = summary(epoch, values)
    some = spread(len(values), len(runs.drawn))
    single = ((x[np.isfinite(y)], y[np.isfinite(y)]) for x, y in zip(epoch[some], values[some], strict=True))
    median = named(
        runs.arm,
        **line_and_marker(runs.style),
        x=plain(grid),
        y=plain(middle),
        hovertemplate=f"median %{{y:.3g}} {unit} at epoch %{{x}}<extra>%{{fullData.name}}</extra>",
    )
    return band(runs.arm, runs.style, grid, low, high), thin_lines(runs.arm, runs.style, single), median


def summary(epoch: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Lowest, median and highest value over runs, shape (G,) each, and the epochs that they are at."""
    grid, at = on_one_grid(epoch, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an epoch that no run reaches
        return np.nanmin(at, axis=0), np.nanmedian(at, axis=0), np.nanmax(at, axis=0), grid
