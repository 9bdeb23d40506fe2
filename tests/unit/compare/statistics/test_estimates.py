"""Estimates against scipy's own, published figures, hand-worked cases and the coverage they promise."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from actsweep.compare import (
    Interval,
    difference_of_means,
    equivalent,
    ert,
    expected_best_of_k,
    mean_of,
    ratio_of_means,
    unit_means,
    wilson,
)

ANY_SPEED = settings(deadline=None)  # a shared machine may pause any example
RNG = np.random.default_rng(11)


def with_moments(n: int, mean: float, sd: float) -> np.ndarray:
    """A sample of n that has exactly this mean and this standard deviation (n - 1)."""
    x = np.linspace(-1.0, 1.0, n)
    return mean + sd * x / x.std(ddof=1)


class TestWilson:
    @pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (7, 12), (12, 12), (450, 1000)])
    def test_it_is_scipys(self, k: int, n: int) -> None:
        oracle = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
        assert wilson(k, n) == pytest.approx((oracle.low, oracle.high))

    def test_nothing_is_known_of_no_trials(self) -> None:
        assert all(math.isnan(limit) for limit in wilson(0, 0))


class TestUnits:
    def test_a_unit_is_the_mean_of_its_recorded_values_and_is_left_out_without_any(self) -> None:
        values = np.array([1.0, 3.0, np.nan, np.nan, 5.0])
        assert unit_means(values, np.array([0, 0, 0, 1, 7])).tolist() == [2.0, 5.0]


class TestTimes:
    def test_the_mean_of_restricted_times_is_the_area_under_kaplan_meier(self) -> None:
        horizon = 8.0
        times = np.array([3.0, 5.0, 5.0, 8.0, 8.0])
        reached = np.array([True, True, True, False, False])
        survival = stats.ecdf(stats.CensoredData.right_censored(times, ~reached)).sf
        area = np.diff([0.0, 3.0, 5.0, horizon]) @ survival.evaluate([0.0, 3.0, 5.0])
        assert mean_of(times, 0.95).estimate == pytest.approx(area)

    def test_ert_is_all_time_spent_over_the_number_that_reached(self) -> None:
        assert ert(np.array([2.0, 4.0, 10.0]), np.array([True, True, False])) == 8.0
        assert math.isnan(ert(np.array([10.0, 10.0]), np.array([False, False])))


class TestDifference:
    def test_it_is_welchs(self) -> None:
        a, b = RNG.normal(1.0, 1.0, 11), RNG.normal(0.0, 3.0, 17)
        oracle = stats.ttest_ind(a, b, equal_var=False)
        interval = difference_of_means(a, b, 0.99)
        assert interval.p_value == pytest.approx(oracle.pvalue)
        assert (interval.low, interval.high) == pytest.approx(tuple(oracle.confidence_interval(0.99)))

    def test_published_runs_of_relu_and_sigmoid(self) -> None:
        """Table of the Mish repository: SqueezeNet on CIFAR-10, 23 runs each."""
        interval = difference_of_means(with_moments(23, 86.66, 0.58), with_moments(23, 74.82, 5.77), 0.95)
        assert interval.estimate == pytest.approx(11.84)
        assert (round(interval.low, 1), round(interval.high, 1)) == (9.3, 14.3)

    def test_arms_without_any_spread_have_an_interval_of_one_point(self) -> None:
        same = difference_of_means(np.full(10, 0.1), np.full(10, 0.1), 0.95)
        assert (same.estimate, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)
        apart = difference_of_means(np.full(10, 0.3), np.full(10, 0.1), 0.95)
        assert apart.low == apart.high == apart.estimate
        assert apart.p_value == 0.0

    def test_one_unit_has_an_estimate_but_no_interval(self) -> None:
        interval = difference_of_means(np.array([2.0]), np.array([1.0, 3.0]), 0.95)
        assert interval.estimate == 0.0
        assert not interval.known

    def test_one_arms_mean_has_students_interval(self) -> None:
        x = RNG.normal(0.0, 1.0, 9)
        oracle = stats.ttest_1samp(x, 0.0).confidence_interval(0.9)
        assert (mean_of(x, 0.9).low, mean_of(x, 0.9).high) == pytest.approx(tuple(oracle))


class TestFamily:
    """Several arms against one reference, as Dunnett (1955) compares them."""

    @pytest.mark.parametrize(("others", "n"), [(2, 12), (4, 12), (3, 200)])
    def test_intervals_at_the_shared_level_hold_together_as_dunnetts_do_and_are_little_wider(
        self, others: int, n: int
    ) -> None:
        control = with_moments(n, 0.9, 0.01)
        arms = [with_moments(n, 0.9 + 0.003 * i, 0.01) for i in range(others)]
        oracle = stats.dunnett(*arms, control=control).confidence_interval(0.95)
        for arm, low, high in zip(arms, oracle.low, oracle.high, strict=True):
            interval = difference_of_means(arm, control, 1 - 0.05 / others)
            assert 1.0 <= interval.half_width / ((high - low) / 2) < 1.16
            assert interval.estimate == pytest.approx((low + high) / 2)

    def test_so_do_p_values(self) -> None:
        control, arms = with_moments(15, 0.9, 0.01), [with_moments(15, 0.9 + d, 0.01) for d in (0.004, 0.008, 0.012)]
        oracle = stats.dunnett(*arms, control=control).pvalue
        shared = np.array([3 * difference_of_means(arm, control, 0.95).p_value for arm in arms])
        assert (shared[1:] >= oracle[1:]).all()
        assert (shared[1:] < 2 * oracle[1:]).all()


class TestRatio:
    def test_a_small_one_and_its_interval_are_those_worked_out_by_hand(self) -> None:
        # Squared relative standard errors 1/3/16 and 4/3/64 are 1/48 each: 4 degrees of freedom.
        interval = ratio_of_means(np.array([6.0, 8.0, 10.0]), np.array([3.0, 4.0, 5.0]), 0.95)
        half = 2.7764451051977987 * math.sqrt(1 / 24)
        assert interval.estimate == pytest.approx(2.0)
        assert (interval.low, interval.high) == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)))
        assert interval.p_value == pytest.approx(2 * stats.t.sf(math.log(2) / math.sqrt(1 / 24), 4))

    def test_it_agrees_with_the_bootstrap_in_a_large_sample(self) -> None:
        rng = np.random.default_rng(3)
        a, b = rng.gamma(8.0, 1.0, 400), rng.gamma(8.0, 2.0, 400)
        oracle = stats.bootstrap(
            (b, a), lambda b, a, axis: b.mean(axis) / a.mean(axis), n_resamples=2000, vectorized=True, rng=rng
        ).confidence_interval
        interval = ratio_of_means(b, a, 0.95)
        assert (interval.low, interval.high) == pytest.approx((oracle.low, oracle.high), rel=0.01)

    @ANY_SPEED
    @given(st.floats(1e-3, 1e6))
    def test_the_unit_of_time_does_not_matter(self, scale: float) -> None:
        a, b = np.array([3.0, 4.0, 5.5]), np.array([6.0, 9.0, 10.0, 12.0])
        plain, scaled = ratio_of_means(b, a, 0.95), ratio_of_means(b * scale, a * scale, 0.95)
        assert (scaled.estimate, scaled.low, scaled.high) == pytest.approx((plain.estimate, plain.low, plain.high))

    def test_swapping_the_arms_inverts_it(self) -> None:
        a, b = np.array([3.0, 4.0, 5.5]), np.array([6.0, 9.0, 10.0, 12.0])
        one, other = ratio_of_means(b, a, 0.95), ratio_of_means(a, b, 0.95)
        assert (one.low * other.high, one.p_value) == pytest.approx((1.0, other.p_value))

    def test_a_mean_of_zero_has_no_ratio(self) -> None:
        assert math.isnan(ratio_of_means(np.array([1.0, 2.0]), np.zeros(2), 0.95).estimate)


class TestFewUnits:
    """Two units of each arm have an interval; one has an estimate alone, none has nothing."""

    ONE, TWO, NONE = np.array([4.0]), np.array([2.0, 6.0]), np.array([])

    @pytest.mark.parametrize("estimate", [difference_of_means, ratio_of_means])
    def test_of_two_arms(self, estimate: Callable[..., Interval]) -> None:
        assert estimate(self.TWO, self.TWO, 0.95).known
        for few in ((self.ONE, self.TWO), (self.TWO, self.ONE)):
            interval = estimate(*few, 0.95)
            assert math.isfinite(interval.estimate)
            assert not interval.known
            assert math.isnan(interval.p_value)
        for none in ((self.NONE, self.TWO), (self.TWO, self.NONE)):
            assert math.isnan(estimate(*none, 0.95).estimate)

    def test_a_single_unit_of_one_arm_has_a_mean_without_an_interval(self) -> None:
        assert mean_of(self.TWO, 0.95).known
        assert (mean_of(self.ONE, 0.95).estimate, mean_of(self.ONE, 0.95).known) == (4.0, False)
        assert math.isnan(mean_of(self.NONE, 0.95).estimate)

    def test_an_interval_with_one_end_is_not_known(self) -> None:
        assert not Interval(1.0, 0.5).known
        assert not Interval(1.0, 0.5, math.inf).known


def test_a_spread_is_rounding_by_the_largest_value_and_real_far_below_it() -> None:
    rounded = np.array([0.0, 0.1 + 0.2, 0.3]) - np.array([0.0, 0.3, 0.3])  # about 1e-17 in the middle
    assert mean_of(1e6 + rounded, 0.95).half_width == 0.0
    assert mean_of(np.array([1.0, 1.0 + 1e-9]), 0.95).half_width > 0.0


class TestEquivalence:
    @pytest.mark.parametrize("spread", [0.002, 0.006, 0.0077, 0.0087, 0.01, 0.02])
    def test_it_is_two_one_sided_tests_at_the_error_rate(self, spread: float) -> None:
        a, b = with_moments(12, 0.902, spread), with_moments(14, 0.9, spread)
        one_sided = [
            stats.ttest_ind(a + margin, b, equal_var=False, alternative=side).pvalue
            for margin, side in ((0.01, "greater"), (-0.01, "less"))
        ]
        assert equivalent(a, b, 0.99, 0.01) == (max(one_sided) < 0.01)

    def test_both_answers_occur(self) -> None:
        a = with_moments(12, 0.9, 0.002)
        assert equivalent(a, a + 0.002, 0.99, 0.01) is True
        assert equivalent(a, a + 0.02, 0.99, 0.01) is False
        assert equivalent(a[:1], a, 0.99, 0.01) is None

    def test_a_level_of_a_half_or_less_leaves_no_interval_of_twice_the_error_rate(self) -> None:
        a = with_moments(12, 0.9, 0.002)
        assert equivalent(a, a, 0.5, 0.01) is None
        assert equivalent(a, a, 0.501, 0.01) is True


class TestBestOfK:
    def test_it_is_the_mean_of_the_best_over_all_subsets(self) -> None:
        values = np.array([0.3, 0.9, 0.5, 0.5, 0.1])
        subsets = [np.mean([max(chosen) for chosen in combinations(values, k)]) for k in range(1, 6)]
        assert expected_best_of_k(values) == pytest.approx(np.array(subsets))

    def test_many_trials_keep_their_precision(self) -> None:
        curve = expected_best_of_k(np.arange(2000.0))
        # The expected maximum of k of 0..n-1 is k (n + 1) / (k + 1) - 1.
        k = np.arange(1, 2001)
        assert curve == pytest.approx(k * 2001 / (k + 1) - 1, rel=1e-9)

    def test_no_trials_have_no_curve(self) -> None:
        assert expected_best_of_k(np.array([])).tolist() == []


class TestCoverage:
    """A 95 % interval holds the truth in 92 to 99 % of simulated studies."""

    STUDIES = 1000

    @pytest.mark.parametrize("units", [10, 30])
    def test_ratio_of_skewed_censored_times(self, units: int) -> None:
        rng = np.random.default_rng(units)
        horizon = 20.0
        pool_a, pool_b = (np.minimum(rng.gamma(9.0, s, 400_000), horizon) for s in (0.6, 1.5))
        truth = pool_b.mean() / pool_a.mean()
        hits = 0
        for _ in range(self.STUDIES):
            interval = ratio_of_means(rng.choice(pool_b, units), rng.choice(pool_a, units), 0.95)
            hits += interval.low <= truth <= interval.high
        assert 0.92 <= hits / self.STUDIES <= 0.99

    def test_difference_with_unequal_spread_and_size(self) -> None:
        rng = np.random.default_rng(5)
        hits = 0
        for _ in range(self.STUDIES):
            interval = difference_of_means(rng.normal(0.86, 0.006, 10), rng.normal(0.75, 0.06, 23), 0.95)
            hits += interval.low <= 0.11 <= interval.high
        assert 0.92 <= hits / self.STUDIES <= 0.99

    def test_difference_where_the_runs_of_a_block_resemble_each_other(self) -> None:
        rng = np.random.default_rng(6)
        block = np.repeat(np.arange(10), 3)
        hits = naive_hits = 0
        for _ in range(self.STUDIES):
            a, b = (mean + rng.normal(0, 0.02, 10)[block] + rng.normal(0, 0.004, 30) for mean in (0.9, 0.8))
            interval = difference_of_means(unit_means(a, block), unit_means(b, block), 0.95)
            hits += interval.low <= 0.1 <= interval.high
            naive = difference_of_means(a, b, 0.95)
            naive_hits += naive.low <= 0.1 <= naive.high
        assert 0.92 <= hits / self.STUDIES <= 0.99
        assert naive_hits / self.STUDIES < 0.85
