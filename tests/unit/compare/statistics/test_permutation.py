"""Permutation tests, against scipy's."""

import math

import numpy as np
import pytest
from scipy import stats

from actsweep.compare import permutation_p
from actsweep.compare.statistics.permutation import _splits


def difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return x.mean(axis) - y.mean(axis)


def log_ratio(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return np.log(x.mean(axis) / y.mean(axis))


@pytest.mark.parametrize("ratio", [False, True])
@pytest.mark.parametrize("sizes", [(4, 4), (3, 7), (8, 5)])
def test_all_splits_of_small_arms_as_scipy_tries_them_by_difference_or_ratio(
    sizes: tuple[int, int], ratio: bool
) -> None:
    rng = np.random.default_rng(sizes)
    a, b = rng.gamma(4, 1.5, sizes[0]).round(1), rng.gamma(4, 1, sizes[1]).round(1)
    oracle = stats.permutation_test((a, b), log_ratio if ratio else difference, n_resamples=np.inf, vectorized=True)
    assert permutation_p(a, b) == pytest.approx(oracle.pvalue)


def test_random_splits_of_larger_arms_agree_and_repeat() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.4, 1, 30), rng.normal(0, 1, 40)
    oracle = stats.permutation_test((a, b), difference, n_resamples=9999, vectorized=True, rng=rng)
    assert permutation_p(a, b) == pytest.approx(oracle.pvalue, abs=0.02)
    assert permutation_p(a, b) == permutation_p(a, b)


def test_a_random_p_value_is_never_zero() -> None:
    assert permutation_p(np.arange(30.0) + 100, np.arange(30.0)) == pytest.approx(2 / 10_000)


def test_arms_that_are_the_same_differ_in_nothing() -> None:
    assert permutation_p(np.full(6, 0.1), np.full(6, 0.1)) == 1.0


def test_splits_that_differ_by_rounding_alone_are_ties() -> None:
    # The observed split ties with those that take another of the zeros, or 0.3 for 0.1 + 0.2.
    assert permutation_p(np.array([0.0, 0.1 + 0.2]), np.array([0.0, 0.0, 0.3])) == 1.0


def test_one_value_is_too_few_and_two_are_enough() -> None:
    assert math.isnan(permutation_p(np.array([1.0]), np.array([1.0, 2.0])))
    assert permutation_p(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == pytest.approx(2 / 6)  # the last of six splits


def test_of_the_largest_arms_whose_splits_are_all_tried_the_p_value_is_a_multiple_of_one_split() -> None:
    assert permutation_p(np.arange(8.0) + 100, np.arange(8.0)) == pytest.approx(2 / math.comb(16, 8), rel=1e-12)
    assert permutation_p(np.arange(9.0) + 100, np.arange(8.0)) == pytest.approx(2 / 10_000)


def test_what_is_kept_for_the_next_test_cannot_be_changed() -> None:
    table, exact = _splits(2, 2)
    assert (exact, table.sum(axis=1).tolist()) == (True, [2.0] * 6)
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 5.0
