"""Which trials diverged, where, and what their accuracy then counts as."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from actsweep.curves.curve import FloatArray
from actsweep.curves.stack import Stack

STUCK_SHARE = 0.05  # of the way from chance to a perfect score


def chance(classes: int) -> float:
    """Accuracy of a guess among `classes` equally frequent classes."""
    return 1.0 / classes


def stuck_below(classes: int) -> float:
    """The best validation accuracy up to which a trial counts as stuck."""
    return chance(classes) + STUCK_SHARE * (1.0 - chance(classes))


def diverged_above(classes: int) -> float:
    """The train loss above which a trial has diverged, after epoch 0: twice that of equal odds for each class."""
    return 2.0 * math.log(classes)


def first_bad(curves: Stack, classes: int) -> NDArray[np.intp]:
    """Index of each curve's first bad evaluation, shape (N,); T (the padded length) where a curve has none.

    Bad is, after epoch 0, a train or validation loss that is not finite or a train loss above 2 ln(classes). A curve
    whose status says "diverged" without a bad loss has its last evaluation as the bad one.
    """
    bad = np.isinf(curves["train_loss"]) | np.isinf(curves["val_loss"])
    bad |= curves["train_loss"] > diverged_above(classes)
    bad &= curves["epoch"] > 0
    length = bad.shape[1]
    first = np.where(bad.any(axis=1), bad.argmax(axis=1), length)
    by_status = curves.said_diverged & (first == length)
    return np.where(by_status, curves.last, first)


def counted_accuracy(curves: Stack, bad: NDArray[np.intp], classes: int) -> FloatArray:
    """Validation accuracy as it counts, shape (N, T): chance from the first bad evaluation on.

    In a diverged curve an accuracy that was not recorded counts as chance too.
    """
    length = curves["epoch"].shape[1]
    counts_as_chance = np.arange(length) >= bad[:, None]
    counts_as_chance |= (bad < length)[:, None] & np.isnan(curves["val_acc"])
    return np.where(counts_as_chance & curves.recorded, chance(classes), curves["val_acc"])
