"""A verdict on times that hangs on how often trials are evaluated is told, and no other."""

import numpy as np
import pytest

from actsweep.compare import TrialCurve
from actsweep.curves import Curve
from simulate import analyze, crossing_curve, trial

HORIZON = 40


def every(epochs: int, crosses_after: float) -> Curve:
    """A smooth curve that comes to 85 % at `crosses_after` epochs, looked at every so many epochs."""
    epoch = np.arange(0.0, HORIZON + 1, epochs)
    accuracy = 0.1 + 0.8 * (1 - np.exp(-2.7726 * epoch / crosses_after))
    return Curve(epoch, accuracy, step=100 * epoch, seconds=epoch, test_acc=float(accuracy[-1]))


def study(epochs: int, relu: float, sigmoid: float) -> list[TrialCurve]:
    return [
        trial(arm, seed, every(epochs, after * (1 + 0.002 * seed)))
        for arm, after in (("relu", relu), ("sigmoid", sigmoid))
        for seed in range(10)
    ]


def told(trials: list[TrialCurve]) -> list[str]:
    warnings = analyze(trials, target_hi=0.85, target_lo=0.85)["study"]["warnings"]
    return [warning for warning in warnings if "Evaluations closer together" in warning]


def test_a_ratio_that_the_evaluations_alone_make_large_is_told() -> None:
    coarse = study(5, relu=4.6, sigmoid=5.5)  # a true ratio of 1.2, seen as epochs 5 and 10
    assert [v["verdict"] for v in analyze(coarse, target_hi=0.85)["verdicts"] if v["claim"] == "C3a"] == ["supported"]
    (warning,) = told(coarse)
    assert warning.startswith("Of relu and sigmoid at depth 3 it is known at which evaluation a target was reached")
    assert (
        "C3a (high target) from 1 to inf, C3a (low target) from 1 to inf, C3b (high target) from 1 to inf:" in warning
    )


def test_of_few_epochs_each_counts() -> None:
    (warning,) = told(study(1, relu=4.5, sigmoid=7.5))  # epochs 5 and 8: from 7 / 5 to 8 / 4
    assert "C3a (high target) from 1.4 to 2, C3a (low target) from 1.4 to 2: enough for another verdict" in warning
    assert "C3b" not in warning


def test_a_ratio_that_no_time_between_evaluations_could_turn_is_not_told() -> None:
    assert told(study(1, relu=4.5, sigmoid=13.5)) == []
    assert told(study(1, relu=4.5, sigmoid=4.5 * 20)) == []  # never reached by sigmoid


@pytest.mark.parametrize("at", [0, 1])
def test_a_trial_that_was_there_at_the_start_leaves_nothing_open(at: int) -> None:
    trials = [trial(arm, seed, crossing_curve(at, 20, test_acc=0.8)) for arm in ("relu", "tanh") for seed in range(10)]
    warnings = analyze(trials, target_hi=0.85)["study"]["warnings"]
    assert any("Evaluations closer" in warning for warning in warnings) == (at == 1)


def crossing(lo: int, hi: int, seed: int) -> Curve:
    """Evaluated each epoch: at 60 % from epoch `lo` on, at 90 % some epochs around `hi`."""
    epoch = np.arange(HORIZON + 1.0)
    accuracy = np.where(epoch >= hi + seed % 3 - 1, 0.9, np.where(epoch >= lo, 0.6, 0.1))
    return Curve(epoch, accuracy, step=100 * epoch, seconds=epoch, test_acc=0.9)


def told_of(relu: tuple[int, int], sigmoid: tuple[int, int]) -> list[str]:
    trials = [
        trial(arm, seed, crossing(*at, seed))
        for arm, at in (("relu", relu), ("sigmoid", sigmoid))
        for seed in range(12)
    ]
    warnings = analyze(trials, target_hi=0.85, target_lo=0.55)["study"]["warnings"]
    return [warning for warning in warnings if "Evaluations closer together" in warning]


def test_a_target_that_is_reached_at_once_is_told_though_the_row_shows_the_other() -> None:
    (warning,) = told_of((1, 15), (2, 34))
    assert "C3a (low target) from 1 to inf: enough" in warning


def test_a_claim_that_one_target_refutes_by_itself_is_not_told_of_the_other() -> None:
    assert told_of((1, 25), (2, 26)) == []


def test_an_interval_that_only_just_clears_what_is_asked_is_told() -> None:
    (warning,) = told_of((10, 20), (20, 32))
    assert "C3a (high target) from" in warning
    assert "low target" not in warning
