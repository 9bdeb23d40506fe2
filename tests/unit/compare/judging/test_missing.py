"""Why a pair of arms does not have an endpoint: whom the reason names."""

import numpy as np

from actsweep.compare.judging.missing import why_no_measure, why_no_ratio
from simulate import cell

NAN = np.nan


def test_an_arm_of_which_some_runs_did_not_diverge_lacks_a_record_and_not_runs() -> None:
    partly, wholly = cell("tanh", diverged=[1, 0], test_acc=[NAN, 0.5]), cell("tanh", diverged=[1, 1])
    assert why_no_measure([partly], "drop") == (
        "no test accuracy of the best epoch (best_test_acc) is recorded for tanh"
    )
    assert why_no_measure([wholly], "drop") == "every run of tanh diverged, so there is nothing to measure"


def test_the_first_record_that_any_of_the_arms_would_have_needed_is_named() -> None:
    nothing, fitted = cell("relu", nauc=[0.5]), cell("tanh", train_loss_min=[0.2], gap_end_val=[0.1])
    untrained = cell("tanh", train_loss_min=[0.2])
    assert why_no_measure([nothing, nothing], "gap_match") == "no train loss (train_loss) is recorded for relu and relu"
    assert why_no_measure([nothing, untrained], "gap_match") == (
        "no train accuracy (train_acc) is recorded for relu and tanh"
    )
    assert why_no_measure([nothing, fitted], "gap_match") == (
        "no run of relu or tanh came down to a train loss at which gaps could be compared"
    )
    assert why_no_measure([nothing, fitted], "gap_end") == "no test accuracy (test_acc) is recorded for relu and tanh"
    assert (
        why_no_measure([nothing, nothing], "gap_end") == "no train accuracy (train_acc) is recorded for relu and relu"
    )


def test_only_an_arm_that_was_there_from_the_start_in_every_run_is_said_to_have_been() -> None:
    at_once = cell("relu", reached_hi=[1, 1], epochs_to_target_hi=[0, 0])
    partly = cell("tanh", reached_hi=[1, 1], epochs_to_target_hi=[0, 3])
    assert why_no_ratio(at_once, partly, "epochs", "hi", 20) == (
        "relu had reached the high target before any training, so there is no ratio of times"
    )


def test_one_arm_that_reached_a_target_is_enough_for_a_ratio_to_lack_only_its_unit_of_time() -> None:
    reached, never = cell("relu", reached_hi=[1, 0]), cell("tanh", reached_hi=[0, 0])
    assert why_no_ratio(reached, never, "seconds", "hi", 20) == "no seconds are recorded for relu and tanh"
    assert why_no_ratio(never, never, "seconds", "hi", 1) == "neither tanh nor tanh reached the high target in 1 epoch"
