"""Targets, derived from the replicates before comparing."""

import math

import numpy as np
import pytest

from actsweep.compare import Cell, Target, find_target
from actsweep.curves import stuck_below
from simulate import CLASSES, cell


def arm(name: str, best: list[float], confirmed: list[float] | None = None, **measures: list[float]) -> Cell:
    return cell(name, best_val_acc=best, confirmed_best=best if confirmed is None else confirmed, **measures)


def target(*cells: Cell, hi: float | None = None, lo: float | None = None) -> Target:
    return find_target(cells, CLASSES, hi, lo)


def test_hi_is_the_tenth_percentile_of_the_best_cells_confirmed_best_less_a_point() -> None:
    confirmed = [0.80, 0.81, 0.82, 0.83, 0.84]
    found = target(arm("relu", [0.9] * 5, confirmed), arm("gelu", [0.89] * 5, [0.88] * 5))
    assert found.hi == pytest.approx(0.804 - 0.01)  # 0.4 of the way from the first to the second


def test_the_best_cell_can_reach_a_target_that_a_noisy_maximum_would_put_out_of_reach() -> None:
    best, confirmed = [0.95] * 20, [0.9] * 20
    assert target(arm("relu", best, confirmed), arm("tanh", [0.8] * 20)).hi == pytest.approx(0.89)


def test_the_best_cell_has_the_highest_median_and_ties_go_to_the_higher_target() -> None:
    lucky = arm("lucky", [0.7, 0.7, 0.99])
    first, second = arm("first", [0.8, 0.8, 0.8], [0.6] * 3), arm("second", [0.7, 0.8, 0.9], [0.7] * 3)
    assert target(lucky, first, second).hi == pytest.approx(0.69)
    assert target(second, first, lucky).hi == pytest.approx(0.69)


def test_trials_that_diverged_or_got_stuck_move_the_median_but_not_the_percentile() -> None:
    failing = arm("relu", [0.9, 0.9, 0.9, 0.1, 0.1], diverged=[0, 0, 0, 1, 0], stuck=[0, 0, 0, 0, 1])
    assert target(failing, arm("tanh", [0.5] * 5)).hi == pytest.approx(0.89)
    mostly = arm("relu", [0.9, 0.1, 0.1, 0.1], diverged=[0, 1, 1, 1])
    assert target(mostly, arm("tanh", [0.5] * 4)).hi == pytest.approx(0.49)


def test_lo_is_95_percent_of_the_weakest_median_that_is_not_stuck() -> None:
    cells = arm("relu", [0.9] * 3), arm("tanh", [0.6, 0.7, 0.8]), arm("sigmoid", [0.145] * 3)
    assert target(*cells).lo == pytest.approx(0.95 * 0.7)


def test_a_cell_whose_median_is_just_that_of_a_stuck_trial_is_stuck() -> None:
    edge = stuck_below(CLASSES)
    assert target(arm("relu", [0.9] * 3), arm("tanh", [edge] * 3)).lo == pytest.approx(0.95 * 0.9)


def test_lo_is_never_above_hi() -> None:
    found = target(arm("relu", [0.9] * 3, [0.6] * 3), arm("tanh", [0.89] * 3, [0.6] * 3))
    assert found.lo == found.hi == pytest.approx(0.59)


def test_fixed_targets_replace_the_derived_ones() -> None:
    cells = arm("relu", [0.9] * 3), arm("tanh", [0.8] * 3)
    found = target(*cells, hi=0.7, lo=0.5)
    assert (found.hi, found.lo, found.rule) == (0.7, 0.5, "fixed")
    assert target(*cells, hi=0.7).lo == 0.7
    rules = [target(*cells, hi=hi, lo=lo).rule for hi, lo in ((None, None), (0.7, None), (None, 0.5))]
    assert rules == ["derived", "hi fixed, lo derived", "hi derived, lo fixed"]
    assert target(*cells, lo=0.5).hi == pytest.approx(0.89)


class TestMatchedLoss:
    def test_it_is_the_highest_of_the_cells_90th_percentiles(self) -> None:
        relu = arm("relu", [0.9] * 10, train_loss_min=[0.1] * 10)
        tanh = arm("tanh", [0.8] * 10, train_loss_min=[i / 10 for i in range(10)])
        assert target(relu, tanh).loss_match == pytest.approx(0.9)  # the 90th percentile's higher neighbour
        assert np.mean(tanh["train_loss_min"] <= target(relu, tanh).loss_match) >= 0.9

    def test_stuck_cells_and_failing_trials_do_not_count(self) -> None:
        relu = arm("relu", [0.9] * 4, train_loss_min=[0.1, 0.1, 0.1, 2.3], stuck=[0, 0, 0, 1])
        stuck = arm("sigmoid", [0.1] * 4, train_loss_min=[2.3] * 4, stuck=[1] * 4)
        assert target(relu, stuck).loss_match == pytest.approx(0.1)

    def test_without_train_loss_there_is_none(self) -> None:
        assert math.isnan(target(arm("relu", [0.9] * 3), arm("tanh", [0.8] * 3)).loss_match)


def test_without_replicates_there_are_no_targets() -> None:
    found = target(arm("relu", []), arm("tanh", []))
    assert math.isnan(found.hi)
    assert math.isnan(found.lo)
