"""Estimates with a range, and how many epochs a scheduler is expected to leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Estimate:
    """A quantity that is not known exactly: low <= middle <= high."""

    low: float
    middle: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> "Estimate":
        """A quantity without a range."""
        return cls(value, value, value)

    @classmethod
    def of(cls, samples: Iterable[float]) -> "Estimate":
        """The range and the median of at least one measurement."""
        found = list(samples)
        return cls(min(found), median(found), max(found))

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.low + other.low, self.middle + other.middle, self.high + other.high)

    def __mul__(self, other: "Estimate | float") -> "Estimate":
        """The product with another quantity that is not negative."""
        factor = other if isinstance(other, Estimate) else Estimate.exactly(other)
        return Estimate(self.low * factor.low, self.middle * factor.middle, self.high * factor.high)


def epochs_under_asha(trials: int, epochs: int, grace: int, reduction: int, spared: int) -> Estimate:
    """Mean epochs of one tune trial of a cell whose trials share one bracket of asynchronous successive halving.

    A trial stops at a rung unless its value is among the best 1 / reduction of those that came there before. Were
    all orders alike, number i would pass with probability (1 + (i - 2) / reduction) / i, and the first always does.

    Args:
        trials: of the cell that may be stopped.
        epochs: of a trial that is not stopped.
        grace: the first rung, in epochs.
        reduction: ratio of one rung to the next.
        spared: trials of the cell that no rung stops.

    Returns:
        low: as if only the best 1 / reduction passed each rung; middle: the expectation; high: nothing is stopped.
    """
    everything = trials + spared
    if not everything:
        return Estimate.exactly(float(epochs))
    strict, expected = (
        _epochs_run(float(trials), epochs, grace, reduction, strict=strict) + spared * epochs
        for strict in (True, False)
    )
    return Estimate(strict / everything, expected / everything, float(epochs))


def _epochs_run(alive: float, epochs: int, grace: int, reduction: int, *, strict: bool) -> float:
    rung, total = 0, 0.0
    following = grace
    while following < epochs:
        total += alive * (following - rung)
        alive = min(alive, max(1.0, alive / reduction)) if strict else _passing(alive, reduction)
        rung, following = following, following * reduction
    return total + alive * (epochs - rung)


def _passing(arriving: float, reduction: int) -> float:
    whole = max(round(arriving), 1)
    passing = 1 + sum((1 + (number - 2) / reduction) / number for number in range(2, whole + 1))
    return min(arriving, passing * arriving / whole)
