"""The probability that one random run beats another, after Brunner and Munzel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from actsweep.compare.statistics.estimates import Interval, unit_means, welch_df
from actsweep.curves import FloatArray


def probability_better(
    a: FloatArray, b: FloatArray, units: tuple[NDArray[np.intp], NDArray[np.intp]], level: float
) -> Interval:
    """Probability that a random run of `a` beats a random run of `b`, ties counting half.

    The estimate is over all pairs of runs (`a` (n,), `b` (m,)). Its spread is that of the units' mean placements
    (Brunner and Munzel 2000, Biom. J. 42, 17, whose units are single runs), the interval is made on the logit scale
    and the p value of 1/2 is their test's. No interval below two units in either arm, nor where one arm wins every
    pair: the placements then have no spread.
    """
    if min(len(a), len(b)) == 0:
        return Interval()
    placed_a, placed_b = placements(a, b), placements(b, a)
    estimate = float(placed_a.mean())
    means = unit_means(placed_a, units[0]), unit_means(placed_b, units[1])
    sizes = len(means[0]), len(means[1])
    if min(sizes) < 2:
        return Interval(estimate)
    parts = float(means[0].var(ddof=1)) / sizes[0], float(means[1].var(ddof=1)) / sizes[1]
    if sum(parts) == 0.0:
        return Interval(estimate)
    se, df = float(np.sqrt(sum(parts))), welch_df(parts, sizes)
    p_value = 2.0 * float(special.stdtr(df, -abs(estimate - 0.5) / se))
    half = float(special.stdtrit(df, 0.5 + level / 2.0)) * se / (estimate * (1.0 - estimate))
    centre = float(special.logit(estimate))
    return Interval(estimate, float(special.expit(centre - half)), float(special.expit(centre + half)), p_value)


def placements(x: FloatArray, others: FloatArray) -> FloatArray:
    """Share of `others` that each of `x` beats, ties counting half; shape of `x`."""
    ordered = np.sort(others)
    below, upto = np.searchsorted(ordered, x, "left"), np.searchsorted(ordered, x, "right")
    return (below + upto) / (2.0 * len(others))
