"""A trial's curve and its measures, on curves small enough to work out by hand."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actsweep.curves import Curve, cut, first_bad, measure, measure_curve, measure_targets, stack
from actsweep.errors import TableError
from simulate import CHANCE, CLASSES, curve

BAD_LOSS = 2 * math.log(CLASSES)
ANY_SPEED = settings(deadline=None)  # a shared machine may pause any example
accuracies = st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=2, max_size=12)


def measured(its_curve: Curve, horizon: float | None = None, **targets: float) -> dict[str, float | None]:
    return measure_curve(its_curve, horizon or float(its_curve.epoch[-1]), CLASSES, **targets)


class TestFromRows:
    def test_rows_come_in_any_order(self) -> None:
        rows: list[dict[str, Any]] = [
            {"epoch": 2, "val_acc": 0.3},
            {"epoch": 0, "val_acc": 0.1},
            {"epoch": 1, "val_acc": 0.2},
        ]
        built = Curve.from_rows(rows)
        assert built.epoch.tolist() == [0, 1, 2]
        assert built.val_acc.tolist() == [0.1, 0.2, 0.3]

    def test_missing_and_none_are_not_recorded_but_a_nan_loss_is_a_loss(self) -> None:
        rows = [
            {"epoch": 0, "val_acc": 0.1, "train_loss": None},
            {"epoch": 1, "val_acc": 0.2, "train_loss": float("nan"), "seconds": None},
            {"epoch": 2, "val_acc": 0.2},
        ]
        built = Curve.from_rows(rows)
        assert built.train_loss is not None
        assert np.isnan(built.train_loss).tolist() == [True, False, True]
        assert np.isinf(built.train_loss).tolist() == [False, True, False]
        assert built.seconds is None
        assert built.step is None

    def test_results_of_the_last_weights_are_read_from_the_last_row_only(self) -> None:
        rows = [
            {"epoch": 0, "val_acc": 0.1, "test_acc": 0.4, "status": "failed", "step_ms": 3.0},
            {"epoch": 1, "val_acc": 0.2, "best_test_acc": 0.5, "status": "completed"},
        ]
        built = Curve.from_rows(rows)
        assert (built.test_acc, built.best_test_acc, built.status, built.step_ms) == (None, 0.5, "completed", 3.0)

    @pytest.mark.parametrize("epochs", [[], [1, 1]])
    def test_no_rows_and_repeated_epochs_are_refused(self, epochs: list[int]) -> None:
        with pytest.raises(TableError, match="evaluation"):
            Curve.from_rows([{"epoch": epoch, "val_acc": 0.1} for epoch in epochs])

    def test_arrays_of_different_lengths_are_refused(self) -> None:
        with pytest.raises(TableError, match="seconds has 1"):
            curve([0.1, 0.2], seconds=[1.0])

    def test_only_a_failed_trial_may_have_no_evaluation(self) -> None:
        nothing = np.array([])
        assert len(Curve(nothing, nothing, status="failed").epoch) == 0
        with pytest.raises(TableError, match="needs at least one evaluation"):
            Curve(nothing, nothing, status="completed")

    def test_what_is_measured_once_is_there_by_name_where_it_was_measured(self) -> None:
        assert curve([0.1], test_acc=0.0, best_test_acc=0.5, step_ms=3.0).final == {
            "test_acc": 0.0,
            "best_test_acc": 0.5,
        }


class TestDivergence:
    @pytest.mark.parametrize(
        ("fields", "bad"),
        [
            ({"train_loss": [2.3, np.inf, 1.0, 1.0]}, 1),
            ({"val_loss": [2.3, 1.0, np.inf, 1.0]}, 2),
            ({"train_loss": [2.3, 1.0, BAD_LOSS + 1e-9, 1.0]}, 2),
            ({"train_loss": [2.3, 1.0, BAD_LOSS - 1e-9, 1.0]}, None),
            ({"val_loss": [2.3, 1.0, 99.0, 1.0]}, None),
            ({"train_loss": [np.inf, 1.0, 1.0, 1.0]}, None),
            ({"train_loss": [99.0, 1.0, 1.0, 1.0]}, None),
            ({"status": "diverged"}, 3),
            ({"status": "diverged", "train_loss": [2.3, np.inf, 1.0, 1.0]}, 1),
            ({"status": "stopped"}, None),
            ({}, None),
        ],
    )
    def test_first_bad_evaluation(self, fields: dict[str, Any], bad: int | None) -> None:
        its_curve = curve([0.1, 0.2, 0.3, 0.4], **fields)
        assert first_bad(stack([its_curve]), CLASSES)[0] == (4 if bad is None else bad)
        assert measured(its_curve)["diverged"] == (bad is not None)

    def test_a_diverged_trial_counts_as_chance_and_has_no_gaps(self) -> None:
        its_curve = curve(
            [0.1, 0.8, 0.9, 0.3],
            train_loss=[2.3, 1.0, 0.5, np.inf],
            train_acc=[0.1, 0.8, 0.9, 0.4],
            saturated=[0.1, 0.2, 0.3, 0.9],
            grad_slope=[-0.2, 0.0, 0.0, 0.0],
            test_acc=0.6,
            best_test_acc=0.9,
        )
        m = measured(its_curve, 6, hi=0.7, loss_match=1.0)
        for name in ("best_val_acc", "confirmed_best", "final_val_acc", "test_acc"):
            assert m[name] == CHANCE, name
        for name in (
            "best_epoch",
            "gap_end_test",
            "gap_end_val",
            "gap_best",
            "gap_match",
            "drop",
            "rebound",
            "saturated",
        ):
            assert m[name] is None, name
        assert m["stuck"] == 0
        assert m["grad_slope"] == -0.2

    def test_it_never_reached_its_target_even_where_it_crossed(self) -> None:
        its_curve = curve(
            [0.1, 0.8, 0.9, 0.3], train_loss=[2, 1, 1, np.inf], step=[0, 100, 200, 300], seconds=[0, 2, 4, 6]
        )
        m = measured(its_curve, 10, hi=0.7)
        assert (m["reached_hi"], m["epochs_to_target_hi"], m["steps_to_target_hi"], m["seconds_to_target_hi"]) == (
            0,
            10,
            1000,
            20,
        )

    def test_its_accuracy_is_chance_from_the_bad_evaluation_to_the_horizon(self) -> None:
        its_curve = curve([0.1, 0.5, np.nan], train_loss=[2.3, 1.0, np.inf])
        # 0 to 1: mean of 0.1 and 0.5; 1 to 2: mean of 0.5 and chance; 2 to 4: chance.
        assert measured(its_curve, 4)["nauc"] == pytest.approx((0.3 + 0.3 + 2 * 0.1) / 4)

    def test_rows_after_the_bad_one_do_not_bring_it_back(self) -> None:
        its_curve = curve([0.1, 0.5, 0.9, 0.9], train_loss=[2.3, np.inf, 0.1, 0.1])
        assert measured(its_curve)["nauc"] == pytest.approx(0.1)


@pytest.mark.parametrize(("best", "stuck"), [(0.145, True), (0.1451, False)])
def test_stuck_is_within_a_twentieth_of_the_way_from_chance(best: float, stuck: bool) -> None:
    assert measured(curve([0.1, best, 0.1]))["stuck"] == stuck


def test_the_best_is_not_the_last_and_its_epoch_is_the_first_that_has_it() -> None:
    m = measured(curve([0.1, 0.7, 0.9, 0.9, 0.6]))
    assert (m["best_val_acc"], m["best_epoch"], m["final_val_acc"]) == (0.9, 2, 0.6)


class TestTimes:
    def test_a_single_noisy_crossing_is_not_reaching(self) -> None:
        its_curve = curve([0.1, 0.8, 0.6, 0.8, 0.8, 0.6], step=[0, 10, 20, 30, 40, 50], seconds=[0, 1, 2, 3, 4, 5])
        m = measured(its_curve, hi=0.8)
        assert (m["reached_hi"], m["epochs_to_target_hi"], m["steps_to_target_hi"], m["seconds_to_target_hi"]) == (
            1,
            3,
            30,
            3,
        )

    def test_a_crossing_at_the_last_evaluation_is_censored_at_the_trials_own_values(self) -> None:
        its_curve = curve([0.1, 0.5, 0.9], step=[0, 10, 20], seconds=[0, 1.5, 3.5])
        m = measured(its_curve, hi=0.8)
        assert (m["reached_hi"], m["epochs_to_target_hi"], m["steps_to_target_hi"], m["seconds_to_target_hi"]) == (
            0,
            2,
            20,
            3.5,
        )

    def test_the_next_evaluation_confirms_whatever_its_epoch(self) -> None:
        its_curve = Curve(np.array([0.0, 5.0, 10.0]), np.array([0.1, 0.9, 0.9]))
        assert measured(its_curve, hi=0.8)["epochs_to_target_hi"] == 5

    def test_what_was_not_recorded_stays_unknown(self) -> None:
        m = measured(curve([0.1, 0.9, 0.9]), hi=0.8)
        assert m["epochs_to_target_hi"] == 1
        assert m["steps_to_target_hi"] is None
        assert m["seconds_to_target_hi"] is None

    @ANY_SPEED
    @given(accuracies, st.integers(0, 100).map(lambda n: n / 100))
    def test_confirmed_best_is_the_highest_target_that_is_reached(self, values: list[float], target: float) -> None:
        m = measured(curve(values), hi=target)
        assert m["confirmed_best"] is not None
        assert m["reached_hi"] == (target <= m["confirmed_best"])


class TestNauc:
    def test_it_is_the_trapezoid_mean_also_over_uneven_epochs(self) -> None:
        its_curve = Curve(np.array([0.0, 1.0, 4.0]), np.array([0.1, 0.5, 0.7]))
        assert measured(its_curve)["nauc"] == pytest.approx((0.3 * 1 + 0.6 * 3) / 4)

    def test_it_needs_the_whole_way_from_epoch_0_to_the_horizon(self) -> None:
        assert measured(Curve(np.array([1.0, 2.0]), np.array([0.1, 0.5])))["nauc"] is None
        assert measured(curve([0.1, 0.5, 0.6]), 5)["nauc"] is None


class TestGaps:
    TRAIN = (0.1, 0.6, 0.9)
    VAL = (0.1, 0.5, 0.7)

    def at_loss(self, loss: float, train_loss: Sequence[float] = (2.0, 1.0, 0.5)) -> float | None:
        return measured(curve(self.VAL, train_acc=self.TRAIN, train_loss=train_loss), loss_match=loss)["gap_match"]

    def test_the_final_gap_is_to_test_or_to_validation_and_the_best_gap_at_the_best_epoch(self) -> None:
        m = measured(curve([0.1, 0.8, 0.7], train_acc=[0.1, 0.85, 0.95], test_acc=0.68))
        assert m["gap_end_test"] == pytest.approx(0.27)
        assert m["gap_end_val"] == pytest.approx(0.25)
        assert m["gap_best"] == pytest.approx(0.05)

    @pytest.mark.parametrize(
        ("loss", "gap"), [(0.75, 0.15), (1.0, 0.1), (1.5, 0.05), (0.5, 0.2), (2.0, 0.0), (3.0, 0.0)]
    )
    def test_the_matched_gap_is_linear_in_the_loss_between_evaluations(self, loss: float, gap: float) -> None:
        assert self.at_loss(loss) == pytest.approx(gap)

    def test_it_is_unknown_where_the_loss_is_never_reached(self) -> None:
        assert self.at_loss(0.49) is None

    def test_the_first_crossing_counts_where_the_loss_rises_again(self) -> None:
        assert self.at_loss(1.5, (2.0, 1.0, 3.0)) == pytest.approx(0.05)

    def test_a_loss_that_was_not_recorded_is_stepped_over(self) -> None:
        assert self.at_loss(1.25, (2.0, np.nan, 0.5)) == pytest.approx(0.1)

    def test_an_infinite_loss_before_training_puts_the_crossing_at_the_next_evaluation(self) -> None:
        assert self.at_loss(1.5, (np.inf, 1.0, 0.5)) == pytest.approx(0.1)


def test_drop_is_what_the_best_weights_would_have_saved_on_test() -> None:
    assert measured(curve([0.1, 0.8, 0.7], test_acc=0.65, best_test_acc=0.7))["drop"] == pytest.approx(0.05)


@ANY_SPEED
@given(accuracies)
def test_rebound_is_best_minus_final_of_the_moving_median(values: list[float]) -> None:
    medians = [float(np.median(values[i : i + 3])) for i in range(len(values) - 2)]
    assert measured(curve(values))["rebound"] == (pytest.approx(max(medians) - medians[-1]) if medians else None)


def test_probes_are_read_at_the_start_and_at_the_end() -> None:
    m = measured(curve([0.1, 0.2, 0.3], grad_slope=[-0.5, 0, 0], saturated=[0.1, 0.2, 0.6], dead=[0, 0, 0.3]))
    assert (m["grad_slope"], m["saturated"], m["dead"]) == (-0.5, 0.6, 0.3)
    assert measured(Curve(np.array([1.0]), np.array([0.1]), grad_slope=np.array([-0.5])))["grad_slope"] is None


class TestCut:
    def test_it_ends_at_the_horizon_and_loses_what_belongs_to_later_weights(self) -> None:
        short = cut(curve([0.1, 0.2, 0.3, 0.4], seconds=[0, 1, 2, 3], test_acc=0.4, status="diverged", step_ms=2.0), 2)
        assert short.val_acc.tolist() == [0.1, 0.2, 0.3]
        assert short.seconds is not None
        assert short.seconds.tolist() == [0, 1, 2]
        assert (short.test_acc, short.status, short.step_ms) == (None, None, 2.0)

    def test_a_curve_that_ends_there_is_left_alone(self) -> None:
        whole = curve([0.1, 0.2, 0.3], test_acc=0.4)
        assert cut(whole, 2) is whole


@ANY_SPEED
@given(st.lists(accuracies, min_size=2, max_size=5), st.integers(0, 3))
def test_curves_of_any_lengths_are_measured_together_as_alone(many: list[list[float]], bad: int) -> None:
    curves = [
        curve(
            values,
            train_loss=[np.inf if i == bad and t == len(values) - 1 else 2 / (t + 1) for t in range(len(values))],
            train_acc=values[::-1],
            seconds=[2.0 * t for t in range(len(values))],
            test_acc=values[-1],
        )
        for i, values in enumerate(many)
    ]
    together = stack(curves)
    measures = measure(together, 12, CLASSES)
    aims = {"hi": np.full(len(curves), 0.4)}
    measures |= measure_targets(together, measures, aims, np.full(len(curves), 0.7))
    for i, one in enumerate(curves):
        alone = measure_curve(one, 12, CLASSES, hi=0.4, loss_match=0.7)
        row = {name: None if np.isnan(values[i]) else float(values[i]) for name, values in measures.items()}
        assert row == pytest.approx(alone)
