"""The measures of a trial, each a function of its curve alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actsweep.curves.curve import Curve, FloatArray
from actsweep.curves.divergence import chance, counted_accuracy, first_bad, stuck_below
from actsweep.curves.gaps import gap_at_loss
from actsweep.curves.stack import Stack, stack, take
from actsweep.curves.times import TIME_UNITS, at_horizon, epochs_between, times_to_target

Measures = dict[str, FloatArray]

LISTED = (
    "diverged",
    "stuck",
    "best_val_acc",
    "best_epoch",
    "final_val_acc",
    "confirmed_best",
    "nauc",
    "drop",
    "rebound",
    *("reached_hi", "reached_lo"),
    *(f"{unit}_to_target_{target}" for unit in TIME_UNITS for target in ("hi", "lo")),
    *("gap_end", "gap_best", "gap_match"),
    *("test_acc", "grad_slope", "saturated", "dead", "step_ms"),
)
"""The measures of a trial that the results list."""
AVERAGED = (
    *("test_acc", "gap_end", "gap_best", "gap_match", "nauc", "drop", "rebound"),
    *("step_ms", "grad_slope", "saturated", "dead"),
)
"""Those of them whose mean over a cell's units is listed, as NAME_mean with its interval."""


def measure(curves: Stack, horizon: float, classes: int) -> Measures:
    """Every measure that needs no target, each of shape (N,); NaN where a curve does not have it.

    `diverged` and `stuck` are 0 or 1. `gap_end_test` and `gap_end_val` are the final gap to test and to validation
    accuracy; `epochs_at_horizon`, `steps_at_horizon` and `seconds_at_horizon` the curve's own values at the horizon;
    `train_loss_min` its smallest train loss. All accuracies, gaps and differences are fractions.
    """
    judged = _Judged(curves, classes)
    return {**_accuracies(judged, horizon), **_gaps(judged), **_mechanism(judged), **_effort(judged, horizon)}


def measure_targets(
    curves: Stack, measured: Measures, targets: dict[str, FloatArray], loss_match: FloatArray
) -> Measures:
    """The measures that need a target, each of shape (N,): times to each target, and the gap at a matched train loss.

    Args:
        curves: N curves.
        measured: what `measure` gave for them.
        targets: target accuracies by name, each of shape (N,), NaN where there is none.
        loss_match: the train loss at which gaps are compared, shape (N,), NaN where there is none.

    Returns:
        `reached_NAME` (0 or 1, NaN without a target) and `epochs_`, `steps_`, `seconds_to_target_NAME` for each
        target, with `epochs_between_NAME`, and `gap_match`.
    """
    diverged = measured["diverged"] == 1
    # A diverged curve never reaches a target, even one that it crossed before.
    accuracy = np.where(diverged[:, None], np.nan, curves["val_acc"])
    own = {unit: measured[f"{unit}_at_horizon"] for unit in TIME_UNITS}
    result: Measures = {}
    for name, target in targets.items():
        reached, times = times_to_target(curves, accuracy, target, own)
        result[f"reached_{name}"] = np.where(np.isnan(target), np.nan, reached)
        result.update({f"{unit}_to_target_{name}": values for unit, values in times.items()})
        result[f"epochs_between_{name}"] = epochs_between(curves, accuracy, target)
    result["gap_match"] = np.where(diverged, np.nan, gap_at_loss(curves, loss_match))
    return result


def measure_curve(curve: Curve, horizon: float, classes: int, **targets: float) -> dict[str, float | None]:
    """All measures of one curve, as `measure` and `measure_targets` name them; None where it does not have one.

    `targets` are target accuracies by name (`hi=0.9`) and, as `loss_match`, the train loss to compare gaps at.
    """
    one = stack([curve])
    measured = measure(one, horizon, classes)
    loss_match = np.array([targets.pop("loss_match", np.nan)])
    aims = {name: np.array([value]) for name, value in targets.items()}
    measured |= measure_targets(one, measured, aims, loss_match)
    return {name: None if np.isnan(values[0]) else float(values[0]) for name, values in measured.items()}


class _Judged:
    """Curves, and what every family of measures asks of them.

    Attributes:
        curves: N curves.
        classes: number of classes.
        floor: the accuracy of a guess.
        diverged: which of them diverged, shape (N,).
        accuracy: validation accuracy as it counts, shape (N, T).
        best: its highest value, shape (N,).
        best_at: the first evaluation that has it, shape (N,).
        test: final test accuracy as it counts, shape (N,).
    """

    def __init__(self, curves: Stack, classes: int) -> None:
        bad = first_bad(curves, classes)
        self.curves = curves
        self.classes = classes
        self.floor = chance(classes)
        self.diverged = bad < curves["epoch"].shape[1]
        self.accuracy = counted_accuracy(curves, bad, classes)
        self.best = self.or_floor(np.fmax.reduce(self.accuracy, axis=1))
        self.best_at = (self.accuracy == self.best[:, None]).argmax(axis=1)
        self.test = self.or_floor(curves.scalars["test_acc"])

    def or_floor(self, values: FloatArray) -> FloatArray:
        """`values`, shape (N,), with a guess's accuracy for curves that diverged."""
        return np.where(self.diverged, self.floor, values)

    def healthy_only(self, values: FloatArray) -> FloatArray:
        """`values`, shape (N,), with NaN for curves that diverged."""
        return np.where(self.diverged, np.nan, values)


def _accuracies(judged: _Judged, horizon: float) -> Measures:
    curves, accuracy, diverged = judged.curves, judged.accuracy, judged.diverged
    return {
        "diverged": diverged.astype(np.float64),
        "stuck": (~diverged & (judged.best <= stuck_below(judged.classes))).astype(np.float64),
        "best_val_acc": judged.best,
        "best_epoch": judged.healthy_only(curves.at("epoch", judged.best_at)),
        "final_val_acc": judged.or_floor(curves.final("val_acc")),
        "confirmed_best": judged.or_floor(_confirmed_best(accuracy)),
        "nauc": _nauc(curves, accuracy, diverged, horizon, judged.floor),
        "test_acc": judged.test,
        "drop": judged.healthy_only(curves.scalars["best_test_acc"] - judged.test),
        "rebound": judged.healthy_only(_rebound(accuracy, curves.last)),
    }


def _gaps(judged: _Judged) -> Measures:
    curves = judged.curves
    to_val = curves["train_acc"] - curves["val_acc"]
    return {
        "gap_end_test": judged.healthy_only(curves.final("train_acc") - judged.test),
        "gap_end_val": judged.healthy_only(take(to_val, curves.last)),
        "gap_best": judged.healthy_only(take(to_val, judged.best_at)),
        "train_loss_min": judged.healthy_only(np.fmin.reduce(curves["train_loss"], axis=1)),
    }


def _mechanism(judged: _Judged) -> Measures:
    curves = judged.curves
    return {
        "grad_slope": np.where(curves["epoch"][:, 0] == 0, curves["grad_slope"][:, 0], np.nan),
        "saturated": judged.healthy_only(curves.final("saturated")),
        "dead": curves.final("dead"),
    }


def _effort(judged: _Judged, horizon: float) -> Measures:
    curves, diverged = judged.curves, judged.diverged
    return {
        "step_ms": curves.scalars["step_ms"],
        "epochs_at_horizon": np.full(len(diverged), float(horizon)),
        "steps_at_horizon": at_horizon(curves, "step", diverged, horizon),
        "seconds_at_horizon": at_horizon(curves, "seconds", diverged, horizon),
    }


def _confirmed_best(accuracy: FloatArray) -> FloatArray:
    """The highest accuracy that two evaluations in a row have, shape (N,)."""
    if accuracy.shape[1] < 2:
        return np.full(len(accuracy), np.nan)
    confirmed: FloatArray = np.fmax.reduce(np.minimum(accuracy[:, :-1], accuracy[:, 1:]), axis=1)
    return confirmed


def _nauc(curves: Stack, accuracy: FloatArray, diverged: NDArray[np.bool_], horizon: float, floor: float) -> FloatArray:
    """Trapezoid mean of accuracy over [0, horizon]; a diverged curve stays at `floor` after its end, and counts as
    `floor` before its first evaluation where that is not epoch 0.
    """
    epoch = curves["epoch"]
    pieces = (accuracy[:, 1:] + accuracy[:, :-1]) / 2.0 * np.diff(epoch, axis=1)
    inside = np.where(curves.recorded[:, 1:], pieces, 0.0).sum(axis=1)
    head = (floor + accuracy[:, 0]) / 2.0 * epoch[:, 0]
    tail = floor * (horizon - curves.final("epoch"))
    whole = (epoch[:, 0] == 0) & (curves.final("epoch") == horizon)
    area = np.where(diverged, head + inside + tail, np.where(whole, inside, np.nan))
    return area / horizon


def _rebound(accuracy: FloatArray, last: NDArray[np.intp]) -> FloatArray:
    """Best minus final of the moving median over three evaluations, shape (N,); NaN below three."""
    if accuracy.shape[1] < 3:
        return np.full(len(accuracy), np.nan)
    a, b, c = accuracy[:, :-2], accuracy[:, 1:-1], accuracy[:, 2:]
    median = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    final = take(median, np.maximum(last - 2, 0))
    return np.where(last >= 2, np.fmax.reduce(median, axis=1) - final, np.nan)
