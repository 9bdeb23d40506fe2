"""Time to a target accuracy, in epochs, steps and seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actsweep.curves.curve import FloatArray
from actsweep.curves.stack import Stack, take

TIME_UNITS = {"epochs": "epoch", "steps": "step", "seconds": "seconds"}


def crossing(accuracy: FloatArray, target: FloatArray) -> NDArray[np.intp]:
    """Index of the first evaluation at or above the target that the next evaluation confirms, shape (N,).

    `accuracy` has shape (N, T) (NaN = no evaluation), `target` (N,). The result is T where there is none: a crossing
    at the last evaluation has nothing to confirm it.
    """
    above = accuracy >= target[:, None]
    confirmed = above[:, :-1] & above[:, 1:]
    if confirmed.shape[1] == 0:
        return np.full(len(accuracy), accuracy.shape[1])
    first: NDArray[np.intp] = np.where(confirmed.any(axis=1), confirmed.argmax(axis=1), accuracy.shape[1])
    return first


def at_horizon(curves: Stack, name: str, diverged: NDArray[np.bool_], horizon: float) -> FloatArray:
    """Each curve's own value of the series `name` at epoch `horizon`, shape (N,).

    A diverged curve is scaled from its last value, in proportion to the epochs; NaN where a curve that did not
    diverge ends earlier, and where a diverged one has nothing after epoch 0 to scale from.
    """
    values = np.where(np.isnan(curves[name]), -1.0, curves[name])
    index = curves["epoch"].shape[1] - 1 - (values[:, ::-1] >= 0).argmax(axis=1)
    value, epoch = curves.at(name, index), curves.at("epoch", index)
    scaled = np.divide(value * horizon, epoch, out=np.full_like(epoch, np.nan), where=epoch > 0)
    complete = curves.final("epoch") == horizon
    return np.where(diverged, scaled, np.where(complete, curves.final(name), np.nan))


def epochs_between(curves: Stack, accuracy: FloatArray, target: FloatArray) -> FloatArray:
    """Epochs from the evaluation before a crossing to the one that saw it, shape (N,): for so long it is not known.

    0 where the target was not reached, or was there at the first evaluation; NaN where there is none. Arguments as in
    `times_to_target`.
    """
    index = crossing(accuracy, target)
    known = (index > 0) & (index < accuracy.shape[1])
    at = np.where(known, index, 1)
    epoch = curves["epoch"]
    between = take(epoch, at) - take(epoch, at - 1) if epoch.shape[1] > 1 else np.zeros(len(epoch))
    return np.where(np.isnan(target), np.nan, np.where(known, between, 0.0))


def times_to_target(
    curves: Stack, accuracy: FloatArray, target: FloatArray, own: dict[str, FloatArray]
) -> tuple[NDArray[np.bool_], dict[str, FloatArray]]:
    """Whether each curve reached its target, and when.

    Args:
        curves: N curves.
        accuracy: accuracy that can reach a target, shape (N, T); NaN throughout for a diverged curve.
        target: shape (N,); NaN where there is no target.
        own: each curve's value at the horizon, by unit of time (a key of `TIME_UNITS`); what a censored curve gets.

    Returns:
        reached (N,), and per unit of time the value at the crossing or, censored, at the horizon; NaN without a target.
    """
    index = crossing(accuracy, target)
    reached = index < accuracy.shape[1]
    at = np.where(reached, index, 0)
    times = {unit: np.where(reached, take(curves[name], at), own[unit]) for unit, name in TIME_UNITS.items()}
    return reached, {unit: np.where(np.isnan(target), np.nan, values) for unit, values in times.items()}
