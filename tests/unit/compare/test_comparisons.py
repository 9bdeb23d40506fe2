"""Every endpoint of a pair of arms, and what censoring does to it."""

import math
from typing import Any

import numpy as np
import pytest

from actsweep.compare import Cell, compare_pair, difference_of_means, permutation_p, ratio_of_means
from actsweep.compare.comparisons import ENDPOINTS
from simulate import cell

LEVEL = 0.995


def timed(name: str, reached: list[float], times: list[float], at_horizon: float = 10, **measures: Any) -> Cell:
    """A cell whose epochs, steps (100 an epoch) and seconds (2 an epoch) to the high target follow from `times`."""
    epochs = np.array(times, float)
    return cell(
        name,
        reached_hi=reached,
        reached_lo=reached,
        **{f"epochs_to_target_{target}": epochs for target in ("hi", "lo")},
        **{f"steps_to_target_{target}": 100 * epochs for target in ("hi", "lo")},
        **{f"seconds_to_target_{target}": measures.pop("second", 2) * epochs for target in ("hi", "lo")},
        seconds_at_horizon=[2 * at_horizon] * len(times),
        steps_at_horizon=[100 * at_horizon] * len(times),
        epochs_at_horizon=[at_horizon] * len(times),
        **measures,
    )


class TestBound:
    ALL, SOME = ([1, 1], [2, 4]), ([1, 0], [4, 10])

    @pytest.mark.parametrize(
        ("a", "b", "bound"),
        [(ALL, ALL, "exact"), (ALL, SOME, "at_least"), (SOME, ALL, "at_most"), (SOME, SOME, "between")],
    )
    def test_it_says_which_arm_is_censored(self, a: Any, b: Any, bound: str) -> None:
        compared = compare_pair(timed("relu", *a), timed("tanh", *b), LEVEL)
        assert {compared[f"r_{unit}_hi"].bound for unit in ("epochs", "steps", "seconds")} == {bound}

    def test_a_ratio_of_costs_is_never_censored_and_a_difference_has_no_bound(self) -> None:
        a, b = timed("relu", *self.SOME, step_ms=[1, 2]), timed("tanh", *self.SOME, step_ms=[2, 3])
        assert compare_pair(a, b, LEVEL)["r_cost"].bound == "exact"
        assert compare_pair(a, b, LEVEL)["d_test_acc"].bound is None

    def test_the_largest_ratio_is_the_others_value_at_the_horizon_over_the_references_time(self) -> None:
        compared = compare_pair(timed("relu", *self.ALL), timed("tanh", *self.SOME), LEVEL)
        assert compared["r_epochs_hi"].largest == pytest.approx(10 / 3)
        assert compared["r_seconds_hi"].largest == pytest.approx(20 / 6)
        assert compared["r_epochs_hi"].interval.estimate < compared["r_epochs_hi"].largest

    def test_where_neither_arm_reached_there_is_no_ratio(self) -> None:
        none = [0, 0], [10, 10]
        ratio = compare_pair(timed("relu", *none), timed("tanh", *none), LEVEL)["r_seconds_hi"]
        assert math.isnan(ratio.interval.estimate)
        assert (ratio.bound, ratio.n, ratio.units) == (None, (2, 2), (2, 2))


class TestEstimates:
    A, B = [0.90, 0.91, 0.93], [0.80, 0.84, 0.85, 0.86]

    def test_ratios_are_other_over_reference(self) -> None:
        ratio = compare_pair(timed("relu", [1, 1], [2, 4]), timed("tanh", [1, 1], [5, 9]), LEVEL)["r_steps_hi"]
        assert ratio.interval == ratio_of_means(np.array([500.0, 900.0]), np.array([200.0, 400.0]), LEVEL)

    def test_a_ratio_is_tested_by_permutation_where_there_is_one(self) -> None:
        a, b = np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 9.0, 11.0])
        cost = compare_pair(cell("relu", step_ms=a), cell("tanh", step_ms=b), LEVEL)["r_cost"]
        assert cost.p_permutation == permutation_p(a, b)
        none = compare_pair(cell("relu", step_ms=0 * a), cell("tanh", step_ms=b), LEVEL)["r_cost"]
        assert math.isnan(none.p_permutation)
        assert none.bound is None

    def test_a_cost_is_also_given_over_healthy_trials(self) -> None:
        a = cell("relu", step_ms=[1.0, 2.0, 9.0], diverged=[0, 0, 1])
        b = cell("tanh", step_ms=[3.0, 5.0, 1.0], stuck=[0, 0, 1])
        cost = compare_pair(a, b, LEVEL)["r_cost"]
        assert cost.healthy == ratio_of_means(np.array([3.0, 5.0]), np.array([1.0, 2.0]), LEVEL)
        assert (cost.n, cost.units) == ((3, 3), (3, 3))

    @pytest.mark.parametrize(
        ("endpoint", "measure"),
        [("d_test_acc", "test_acc"), ("d_gap_end", "gap_end"), ("d_gap_match", "gap_match"), ("d_nauc", "nauc")],
    )
    def test_differences_are_reference_minus_other(self, endpoint: str, measure: str) -> None:
        compared = compare_pair(cell("relu", **{measure: self.A}), cell("tanh", **{measure: self.B}), LEVEL)[endpoint]
        assert compared.interval == difference_of_means(np.array(self.A), np.array(self.B), LEVEL)
        assert compared.p_permutation == permutation_p(np.array(self.A), np.array(self.B))
        assert (compared.n, compared.units) == ((3, 4), (3, 4))

    def test_the_difference_of_slopes_is_other_minus_reference(self) -> None:
        compared = compare_pair(cell("relu", grad_slope=[0, 0.1, 0.2]), cell("tanh", grad_slope=[-0.9, -1]), LEVEL)
        assert compared["d_grad_slope"].interval.estimate == pytest.approx(-1.05)
        assert compared["d_grad_slope"].n == (3, 2)

    def test_blocks_are_the_units(self) -> None:
        a = cell("relu", [0, 0, 1, 1], test_acc=[0.9, 0.92, 0.8, 0.82])
        b = cell("tanh", [0, 0, 1, 1], test_acc=[0.7, 0.72, 0.6, 0.62])
        compared = compare_pair(a, b, LEVEL)["d_test_acc"]
        assert (compared.n, compared.units) == ((4, 4), (2, 2))
        assert compared.interval == difference_of_means(np.array([0.91, 0.81]), np.array([0.71, 0.61]), LEVEL)

    def test_diverged_trials_count_and_the_healthy_are_shown_beside(self) -> None:
        a = cell("relu", test_acc=[0.9, 0.91, 0.92])
        b = cell("tanh", test_acc=[0.8, 0.81, 0.1], diverged=[0, 0, 1])
        compared = compare_pair(a, b, LEVEL)
        assert compared["d_test_acc"].interval.estimate == pytest.approx(0.91 - 0.57)
        assert compared["d_test_acc"].healthy.estimate == pytest.approx(0.91 - 0.805)
        assert compared["p_a_better"].n == (3, 3)

    def test_equivalence_is_asked_of_two_endpoints_only(self) -> None:
        a = cell("relu", test_acc=[0.9, 0.9001], gap_match=[0.1, 0.2], gap_end=[0.1, 0.1001], gap_end_val=[0.1, 0.1])
        compared = compare_pair(a, a, LEVEL)
        answers = {
            name: comparison.equivalent for name, comparison in compared.items() if comparison.equivalent is not None
        }
        assert answers == {"d_test_acc": True, "d_gap_match": False}

    def test_every_endpoint_is_there_whatever_can_be_had(self) -> None:
        empty = cell("tanh", test_acc=[])
        for pair in ((cell("relu", test_acc=[0.5, 0.6]), empty), (empty, empty), (empty, cell("relu", test_acc=[0.5]))):
            compared = compare_pair(*pair, LEVEL)
            assert tuple(compared) == ENDPOINTS
            assert all(math.isnan(comparison.interval.estimate) for comparison in compared.values())


class TestParts:
    def test_time_is_split_into_steps_and_cost(self) -> None:
        a, b = timed("relu", [1, 1], [2, 4]), timed("tanh", [1, 1], [4, 8], second=6)
        parts = compare_pair(a, b, LEVEL)["r_seconds_hi"].parts
        assert parts["steps_part"] == pytest.approx(math.log(2))
        assert parts["cost_part"] == pytest.approx(math.log(3))
        assert parts["steps_share"] == pytest.approx(math.log(2) / math.log(6))
        assert parts["steps_from"] == "steps"

    def test_without_steps_that_can_be_compared_time_is_not_split(self) -> None:
        a, b = timed("relu", [1, 1], [2, 4]), timed("tanh", [1, 1], [4, 8])
        b["steps_to_target_hi"].fill(np.nan)
        assert compare_pair(a, b, LEVEL)["r_seconds_hi"].parts == {}
        assert compare_pair(a, b, LEVEL)["r_seconds_lo"].parts["steps_from"] == "steps"

    def test_the_gap_difference_is_split_into_matched_and_progress(self) -> None:
        a = cell("relu", gap_match=[0.04, 0.06, np.nan], gap_end_val=[0.15, 0.15, 0.9])
        b = cell("tanh", gap_match=[0.02, 0.06], gap_end_val=[0.05, 0.07])
        parts = compare_pair(a, b, LEVEL)["d_gap_match"].parts
        assert parts["difference"] == pytest.approx(0.09)
        assert parts["matched"] == pytest.approx(0.01)
        assert parts["progress"] == pytest.approx(0.08)
        assert parts["progress_share"] == pytest.approx(8 / 9)
