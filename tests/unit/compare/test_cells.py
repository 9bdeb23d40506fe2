"""What is said of one cell."""

import math

import numpy as np
import pytest
from scipy import stats

from actsweep.compare import Cell, cell_row, wilson
from simulate import cell

NO_TRIALS = cell("relu", best_val_acc=[])


def timed(reached: list[float], epochs: list[float], **measures: list[float]) -> Cell:
    return cell("relu", reached_hi=reached, epochs_to_target_hi=epochs, best_val_acc=epochs, **measures)


def test_diverged_and_stuck_trials_stay_in_every_denominator() -> None:
    row = cell_row(timed([1, 1, 0, 0], [2, 4, 10, 10], diverged=[0, 0, 1, 0], stuck=[0, 0, 0, 1]), NO_TRIALS)
    assert (row["n"], row["healthy"], row["failure_share"]) == (4, 2, 0.5)
    assert (row["failure_share_low"], row["failure_share_high"]) == wilson(2, 4)
    assert row["reached_hi"] == 0.5
    assert (row["reached_hi_low"], row["reached_hi_high"]) == wilson(2, 4)
    assert row["rmst_epochs_hi"] == 6.5
    assert row["ert_epochs_hi"] == 13.0


def test_kaplan_meier_would_flatter_an_arm_whose_diverged_trials_leave_early() -> None:
    left_at = np.array([4.0, 4.0, 5.0, 6.0, 1.0, 1.0])
    reached = np.array([True, True, True, True, False, False])
    survival = stats.ecdf(stats.CensoredData.right_censored(left_at, ~reached)).sf
    kaplan_meier = 4.0 + survival.evaluate(4.0) + survival.evaluate(5.0)
    honest = timed(reached.tolist(), [4, 4, 5, 6, 10, 10], diverged=[0, 0, 0, 0, 1, 1])
    assert kaplan_meier == pytest.approx(4.75)
    assert cell_row(honest, NO_TRIALS)["rmst_epochs_hi"] == 6.5


def test_means_are_over_units_and_shares_over_trials() -> None:
    lopsided = cell(
        "relu", [0, 0, 0, 1], test_acc=[0.9, 0.9, 0.9, 0.5], reached_hi=[1, 1, 1, 0], best_val_acc=[0.9] * 4
    )
    row = cell_row(lopsided, NO_TRIALS)
    assert (row["n"], row["units"]) == (4, 2)
    assert row["test_acc_mean"] == pytest.approx(0.7)
    assert row["reached_hi"] == 0.75
    assert row["test_acc_sd"] == pytest.approx(np.std([0.9, 0.9, 0.9, 0.5], ddof=1))


def test_a_mean_has_students_interval_over_units_at_95_percent() -> None:
    row = cell_row(timed([1, 1, 1], [2, 4, 6], test_acc=[0.5, 0.6, 0.7]), NO_TRIALS)
    half = stats.t.ppf(0.975, 2) * 2 / np.sqrt(3)
    assert [row[f"rmst_epochs_hi{end}"] for end in ("_low", "", "_high")] == pytest.approx([4 - half, 4, 4 + half])
    half = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert [row[f"test_acc_mean{end}"] for end in ("_low", "_high")] == pytest.approx([0.6 - half, 0.6 + half])


def test_the_mean_test_accuracy_is_also_given_over_healthy_trials() -> None:
    row = cell_row(cell("relu", test_acc=[0.9, 0.8, 0.1], diverged=[0, 0, 1], best_val_acc=[0.9, 0.9, 0.1]), NO_TRIALS)
    assert row["test_acc_mean"] == pytest.approx(0.6)
    assert row["test_acc_healthy_mean"] == pytest.approx(0.85)


def test_an_unknown_time_makes_no_running_time() -> None:
    row = cell_row(timed([1, 0], [2, math.nan]), NO_TRIALS)
    assert math.isnan(row["ert_epochs_hi"])


def test_best_of_k_is_of_the_tune_trials_alone() -> None:
    row = cell_row(timed([1], [5]), cell("relu", best_val_acc=[0.2, 0.6]))
    assert row["best_of_k"] == pytest.approx([0.4, 0.6])
    assert cell_row(timed([1], [5]), NO_TRIALS)["best_of_k"] == []


def test_a_cell_without_replicates_has_counts_and_no_values() -> None:
    row = cell_row(NO_TRIALS, cell("relu", best_val_acc=[0.5]))
    assert (row["n"], row["units"], row["healthy"], row["lrs"]) == (0, 0, 0, [])
    values = [row[name] for name in ("failure_share", "reached_hi", "rmst_epochs_hi", "test_acc_mean", "test_acc_sd")]
    assert all(math.isnan(value) for value in values)


def test_one_replicate_has_a_mean_but_no_spread(recwarn: pytest.WarningsRecorder) -> None:
    row = cell_row(cell("relu", test_acc=[0.9], best_val_acc=[0.9]), NO_TRIALS)
    assert row["test_acc_mean"] == 0.9
    assert math.isnan(row["test_acc_sd"])
    assert math.isnan(row["test_acc_mean_low"])
    assert not list(recwarn)
    two = cell_row(cell("relu", test_acc=[0.9, 0.7], best_val_acc=[0.9, 0.7]), NO_TRIALS)
    assert two["test_acc_sd"] == pytest.approx(0.2 / math.sqrt(2))


def test_what_failed_is_counted_by_how_and_the_learning_rates_are_those_that_are_known() -> None:
    made = timed([1, 0, 0, 0], [2, 9, 9, 9], diverged=[0, 1, 1, 0], stuck=[0, 0, 0, 1])
    known = Cell(made.arm, made.unit, np.array([0.1, 0.03, math.nan, 0.1]), made.measures)
    row = cell_row(known, NO_TRIALS)
    assert (row["diverged"], row["stuck"], row["healthy"]) == (2, 1, 1)
    assert row["lrs"] == [0.03, 0.1]
    assert row["best_val_acc_median"] == 9
