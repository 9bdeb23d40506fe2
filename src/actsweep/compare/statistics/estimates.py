"""Estimates with their intervals, from the means of independent units. Pure functions over arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from actsweep.curves import FloatArray

ROUNDING = 1e-12  # relative size of a spread that is rounding and nothing else
NAN = float("nan")


@dataclass(frozen=True)
class Interval:
    """An estimate, its interval and the p value of no effect; NaN for what cannot be had."""

    estimate: float = NAN
    low: float = NAN
    high: float = NAN
    p_value: float = NAN

    @property
    def half_width(self) -> float:
        """Half the interval's width, in the estimate's unit."""
        return (self.high - self.low) / 2.0

    @property
    def known(self) -> bool:
        """Whether the interval could be had."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def unit_means(values: FloatArray, unit: NDArray[np.intp]) -> FloatArray:
    """Mean of each unit's recorded values, in the order of the unit codes; units without any are left out.

    `values` (n,) with NaN for "not recorded", `unit` (n,) codes from 0.
    """
    recorded = ~np.isnan(values)
    counts = np.bincount(unit[recorded])
    sums = np.bincount(unit[recorded], weights=values[recorded])
    return sums[counts > 0] / counts[counts > 0]


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a share, at 95 %; NaN for n = 0. Wilson (1927), J. Am. Stat. Assoc. 22, 209."""
    if n == 0:
        return NAN, NAN
    z2 = float(special.ndtri(0.975)) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == n else float(centre + half)
    return low, high


def ert(times: FloatArray, reached: NDArray[np.bool_]) -> float:
    """Expected running time: all time spent over the number that reached; NaN if none did or a time is unknown.

    Hansen et al. (2021), COCO. `times` (n,) holds the time to the target or, censored, to the horizon.
    """
    hits = int(reached.sum())
    return float(times.sum() / hits) if hits else NAN


def mean_of(x: FloatArray, level: float) -> Interval:
    """Mean of unit means `x` (n,) with Student's interval; no interval below two units."""
    if len(x) == 0:
        return Interval()
    if len(x) == 1:
        return Interval(float(x[0]))
    return _student(float(x.mean()), _variance_of_mean(x), float(len(x) - 1), level)


def difference_of_means(a: FloatArray, b: FloatArray, level: float) -> Interval:
    """Mean of `a` minus mean of `b` with Welch's interval and p value; no interval below two units in either.

    Welch (1947), Biometrika 34, 28.
    """
    if min(len(a), len(b)) == 0:
        return Interval()
    estimate = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return Interval(estimate)
    parts = _variance_of_mean(a), _variance_of_mean(b)
    return _student(estimate, sum(parts), welch_df(parts, (len(a), len(b))), level)


def ratio_of_means(b: FloatArray, a: FloatArray, level: float) -> Interval:
    """Mean of `b` over mean of `a`, both positive: delta method on the log, Welch-Satterthwaite t; p value of ratio 1.

    No interval below two units in either; nothing where a mean is not positive.
    """
    if min(len(a), len(b)) == 0 or min(float(a.mean()), float(b.mean())) <= 0.0:
        return Interval()
    log_ratio = float(np.log(b.mean() / a.mean()))
    if min(len(a), len(b)) < 2:
        return Interval(math.exp(log_ratio))
    parts = _variance_of_mean(a) / a.mean() ** 2, _variance_of_mean(b) / b.mean() ** 2
    on_log = _student(log_ratio, float(sum(parts)), welch_df(parts, (len(a), len(b))), level)
    return Interval(math.exp(log_ratio), math.exp(on_log.low), math.exp(on_log.high), on_log.p_value)


def equivalent(a: FloatArray, b: FloatArray, level: float, margin: float) -> bool | None:
    """Two one-sided tests: whether the interval with twice the error rate of `level` lies within +-`margin`.

    None where that interval cannot be had. Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657.
    """
    level = 1.0 - 2.0 * (1.0 - level)
    if level <= 0.0:
        return None
    interval = difference_of_means(a, b, level)
    return -margin < interval.low and interval.high < margin if interval.known else None


def expected_best_of_k(values: FloatArray) -> FloatArray:
    """Expected maximum of k of the n `values` drawn without replacement, for k = 1 to n; shape (n,).

    sum_i C(i-1, k-1) / C(n, k) x_(i) over the order statistics x_(1) <= ... <= x_(n): the mean over all subsets.
    """
    ordered = np.sort(values)
    n = len(ordered)
    k = np.arange(1, n + 1)
    weight = k / n  # of the largest value: k of n subsets hold it
    expected = np.zeros(n)
    for i in range(n, 0, -1):
        expected += weight * ordered[i - 1]
        weight = weight * np.maximum(i - k, 0) / max(i - 1, 1)
    return expected


def welch_df(variances: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Welch-Satterthwaite degrees of freedom of a sum of two variances of means; infinite where both are 0."""
    denominator = sum(v * v / (n - 1) for v, n in zip(variances, sizes, strict=True))
    return float(sum(variances) ** 2 / denominator) if denominator > 0 else float("inf")


def _variance_of_mean(x: FloatArray) -> float:
    """Variance of the mean of `x`; 0 where its values differ by rounding alone."""
    variance = float(x.var(ddof=1)) / len(x)
    return variance if variance > (ROUNDING * float(np.abs(x).max())) ** 2 else 0.0


def _student(estimate: float, variance: float, df: float, level: float) -> Interval:
    """Student's interval and the two-sided p value of 0 for an estimate with `df` degrees of freedom."""
    if variance == 0.0:
        return Interval(estimate, estimate, estimate, float(abs(estimate) <= ROUNDING))
    se = float(np.sqrt(variance))
    t = float(special.stdtrit(df, 0.5 + level / 2.0))
    p_value = 2.0 * float(special.stdtr(df, -abs(estimate) / se))
    return Interval(estimate, estimate - t * se, estimate + t * se, p_value)
