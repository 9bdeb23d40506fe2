"""Gaps between train and validation accuracy."""

from __future__ import annotations

import numpy as np

from actsweep.curves.curve import FloatArray
from actsweep.curves.stack import Stack, take


def gap_at_loss(curves: Stack, loss: FloatArray) -> FloatArray:
    """Train-probe minus validation accuracy where the train loss first comes down to `loss`, shape (N,).

    Linear in the loss between the two evaluations around the crossing; the first evaluation's gap where that one is
    already there; NaN for a curve that never gets there. `loss` has shape (N,), NaN where there is none.
    """
    train_loss = curves["train_loss"]
    gap = curves["train_acc"] - curves["val_acc"]
    there = train_loss <= loss[:, None]
    after = there.argmax(axis=1)
    position = np.arange(train_loss.shape[1])
    latest = np.maximum.accumulate(np.where(np.isnan(train_loss), -1, position), axis=1)
    before = np.where(after > 0, latest[np.arange(len(latest)), after - 1], -1)
    first = before < 0
    before = np.where(first, after, before)
    loss_before, loss_after = take(train_loss, before), take(train_loss, after)
    with np.errstate(invalid="ignore"):
        fall = loss_before - loss_after
    # A fall from an infinite loss (possible before training) puts the crossing at its lower end.
    inner = np.isfinite(fall) & (fall > 0)
    share = np.divide(loss_before - loss, fall, out=np.ones_like(fall), where=inner)
    gap_before, gap_after = take(gap, before), take(gap, after)
    value = np.where(inner, gap_before + share * (gap_after - gap_before), gap_after)
    return np.where(there.any(axis=1), value, np.nan)
