"""The view of the tune trials at either arm's best learning rate."""

import math

import numpy as np
import pytest

from actsweep.compare import Cell
from actsweep.compare.learning_rates import learning_rate_view
from simulate import cell


def tuned(name: str, by_lr: dict[float, float]) -> Cell:
    made = cell(name, best_val_acc=list(by_lr.values()))
    return Cell(name, made.unit, np.array(list(by_lr)), made.measures)


def test_one_shared_rate_can_turn_the_order_around() -> None:
    relu, sigmoid = tuned("relu", {0.1: 0.9, 0.001: 0.6}), tuned("sigmoid", {0.1: 0.3, 0.001: 0.7})
    assert learning_rate_view(relu, sigmoid) == {
        "lr_a": 0.1, "a_at_lr_a": 0.9, "b_at_lr_a": 0.3,
        "lr_b": 0.001, "a_at_lr_b": 0.6, "b_at_lr_b": 0.7,
    }  # fmt: skip


def test_the_nearest_rate_on_the_log_scale_stands_in() -> None:
    relu, sigmoid = tuned("relu", {0.1: 0.9}), tuned("sigmoid", {0.03: 0.4, 0.29: 0.5})
    view = learning_rate_view(relu, sigmoid)
    assert view["b_at_lr_a"] == pytest.approx(0.5)
    assert (view["a_at_lr_a"], view["a_at_lr_b"]) == (0.9, 0.9)


def test_without_tune_trials_or_rates_there_is_no_view() -> None:
    view = learning_rate_view(tuned("relu", {}), tuned("sigmoid", {math.nan: 0.5}))
    assert all(math.isnan(value) for value in view.values())


def test_an_arm_without_tune_trials_leaves_what_is_known_of_the_other() -> None:
    view = learning_rate_view(tuned("relu", {0.1: 0.9}), tuned("sigmoid", {}))
    assert (view["lr_a"], view["a_at_lr_a"]) == (0.1, 0.9)
    assert all(math.isnan(view[name]) for name in ("b_at_lr_a", "lr_b", "a_at_lr_b", "b_at_lr_b"))


def test_a_rate_of_zero_is_on_no_log_scale() -> None:
    view = learning_rate_view(tuned("relu", {0.0: 0.99, 0.1: 0.9}), tuned("sigmoid", {0.1: 0.5, 0.0: 0.7}))
    assert (view["lr_a"], view["a_at_lr_a"], view["b_at_lr_a"]) == (0.1, 0.9, 0.5)


def test_runs_at_one_rate_are_averaged() -> None:
    made = cell("sigmoid", best_val_acc=[0.4, 0.6, 0.9])
    repeated = Cell("sigmoid", made.unit, np.array([0.1, 0.1, 1.0]), made.measures)
    assert learning_rate_view(tuned("relu", {0.1: 0.9}), repeated)["b_at_lr_a"] == pytest.approx(0.5)
