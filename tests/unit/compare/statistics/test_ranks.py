"""The probability that one run beats another, against scipy's Brunner-Munzel test and by simulation."""

import math

import numpy as np
import pytest
from scipy import special, stats

from actsweep.compare import Interval, probability_better


def better(a: np.ndarray, b: np.ndarray, level: float = 0.95, runs: int = 1) -> Interval:
    """With `runs` runs in each unit."""
    units = np.arange(len(a)) // runs, np.arange(len(b)) // runs
    return probability_better(a, b, units, level)


def test_ties_count_half() -> None:
    assert better(np.array([1.0, 2.0]), np.array([1.0, 0.0])).estimate == (0.5 + 1 + 1 + 1) / 4


@pytest.mark.parametrize("seed", range(5))
def test_the_p_value_is_brunner_munzels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.5, 1.0, 12).round(1), rng.normal(0.0, 3.0, 15).round(1)
    assert better(a, b).p_value == pytest.approx(stats.brunnermunzel(a, b).pvalue)


def test_the_interval_is_symmetric_on_the_logit_scale_and_stays_a_probability() -> None:
    a, b = np.array([1.0, 3.0, 4.0, 5.0, 6.0]), np.array([0.0, 1.5, 2.0, 2.5, 3.5])
    interval = better(a, b)
    assert 0 < interval.low < interval.estimate < interval.high < 1
    assert special.logit([interval.low, interval.high]).mean() == pytest.approx(special.logit(interval.estimate))


def test_half_width_on_the_logit_scale() -> None:
    a, b = np.array([1.0, 3.0, 4.0, 5.0, 6.0]), np.array([0.0, 1.5, 2.0, 2.5, 3.5])
    oracle = stats.brunnermunzel(a, b)
    p = better(a, b).estimate
    se = (p - 0.5) / abs(oracle.statistic)
    variances = [np.var([np.mean(other < x) for x in own], ddof=1) / 5 for own, other in ((a, b), (b, a))]
    df = sum(variances) ** 2 / sum(v**2 / 4 for v in variances)
    half = (special.logit(better(a, b).high) - special.logit(better(a, b).low)) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, df) * se / (p * (1 - p)))


def test_winning_every_pair_has_an_estimate_but_no_interval() -> None:
    interval = better(np.array([3.0, 4.0, 5.0]), np.array([0.0, 1.0, 2.0]))
    assert interval.estimate == 1.0
    assert not interval.known
    assert math.isnan(interval.p_value)


def test_two_units_of_each_arm_have_an_interval_and_one_has_none() -> None:
    a, b = np.array([1.0, 3.0]), np.array([0.0, 2.0])
    assert better(a, b).known
    alone = better(a[:1], b)
    assert (alone.estimate, alone.known) == (0.5, False)
    assert math.isnan(better(a[:0], b).estimate)
    assert math.isnan(better(a, b[:0]).estimate)


def test_repeating_the_runs_of_a_unit_adds_no_certainty() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.5, 1, 10), rng.normal(0, 1, 10)
    once, thrice = better(a, b), better(np.repeat(a, 3), np.repeat(b, 3), runs=3)
    assert (thrice.low, thrice.high, thrice.p_value) == pytest.approx((once.low, once.high, once.p_value))


def test_intervals_hold_the_true_probability_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    truth = stats.norm.cdf(0.8 / math.sqrt(1 + 4))
    intervals = [better(rng.normal(0.8, 1, 15), rng.normal(0, 2, 15)) for _ in range(1000)]
    assert 0.92 <= np.mean([i.low <= truth <= i.high for i in intervals]) <= 0.99
