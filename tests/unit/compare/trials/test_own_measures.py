"""Measures that plugins bring."""

import math
from typing import Any

import numpy as np
import pytest

from actsweep.analysis import AnalysisOptions, TrialCurve, analyze_curves
from actsweep.compare.trials.own_measures import own_measures
from actsweep.curves import Curve


def trial(arm: str, seed: int, best: float, phase: str = "replicate", status: str = "completed") -> TrialCurve:
    rows = [{"epoch": 0, "val_acc": 0.1}, {"epoch": 1, "val_acc": best}, {"epoch": 2, "val_acc": best}]
    curve = Curve.from_rows([*rows[:-1], {**rows[-1], "status": status}])
    return TrialCurve(f"{phase}-{arm}-{seed}", phase, arm, (), 0.01, seed, 0, curve)


TRIALS = [trial(arm, seed, best=0.5 + 0.1 * seed) for arm in ("relu", "gelu") for seed in range(3)]


def last_step(curve: Curve) -> float:
    return float(curve.val_acc[1] - curve.val_acc[0])


def analysed(trials: list[TrialCurve], **measures: Any) -> Any:
    return analyze_curves(trials, AnalysisOptions("mine", "relu", 10, stratum=(), measures=measures))


def test_a_measure_stands_in_every_trials_row_and_its_mean_in_every_cells() -> None:
    results = analysed(TRIALS, jump=last_step)
    assert [row["jump"] for row in results["trials"]] == pytest.approx([0.4, 0.5, 0.6] * 2)
    assert [row["jump_mean"] for row in results["cells"]] == pytest.approx([0.5, 0.5])


def test_without_measures_the_results_are_what_they_were() -> None:
    plain, more = analysed(TRIALS), analysed(TRIALS, jump=last_step)
    for row in more["trials"]:
        del row["jump"]
    for row in more["cells"]:
        for end in ("", "_low", "_high"):
            del row[f"jump_mean{end}"]
    assert more == plain


def test_a_failed_trial_has_no_measure() -> None:
    results = analysed([*TRIALS, trial("relu", 9, 0.9, status="failed")], one=lambda curve: 1)
    assert [row["one"] for row in results["trials"] if row["status"] == "failed"] == [None]
    assert results["study"]["warnings"] == [w for w in results["study"]["warnings"] if "measure" not in w]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, np.float64("nan")])
def test_what_is_no_finite_number_is_null(value: Any) -> None:
    values, problems = own_measures(TRIALS, {"none": lambda curve: value})
    assert np.isnan(values["none"]).all()
    assert problems == ()
    assert {row["none"] for row in analysed(TRIALS, none=lambda curve: value)["trials"]} == {None}


@pytest.mark.parametrize("value", [True, 1, 1.0, np.float32(1), np.int64(1), np.bool_(True)])
def test_every_kind_of_number_is_one(value: Any) -> None:
    assert own_measures(TRIALS[:1], {"one": lambda curve: value})[0]["one"].tolist() == [1.0]


def test_a_measure_that_fails_is_null_and_told_and_the_others_are_there() -> None:
    def moody(curve: Curve) -> float:
        return 1 / (1 - round(float(curve.val_acc[-1]), 1) - 0.5)

    results = analysed(TRIALS, moody=moody, jump=last_step)
    assert [row["moody"] is None for row in results["trials"]] == [True, False, False] * 2
    assert all(row["jump"] is not None for row in results["trials"])
    (warning,) = [warning for warning in results["study"]["warnings"] if "measure" in warning]
    assert warning == (
        "The measure moody of a plugin failed for 2 trials: replicate-gelu-0 (ZeroDivisionError: float division by "
        "zero), replicate-relu-0 (ZeroDivisionError: float division by zero)."
    )


def test_of_many_failures_the_first_are_shown() -> None:
    _, (problem,) = own_measures(TRIALS, {"text": lambda curve: "high"})  # type: ignore[dict-item, return-value]
    assert problem.startswith(
        "The measure text of a plugin failed for 6 trials: replicate-relu-0 (TypeError: gave 'high'"
    )
    assert problem.count("TypeError") == 3
    assert problem.endswith(", ....")


def test_after_a_failed_trial_the_others_are_measured() -> None:
    failed = trial("relu", 9, 0.9, status="failed")
    values, _ = own_measures([TRIALS[0], failed, TRIALS[1]], {"one": lambda curve: 1.0})
    assert np.isnan(values["one"]).tolist() == [False, True, False]


def test_three_failures_are_all_that_is_shown() -> None:
    _, (problem,) = own_measures(TRIALS[:3], {"text": lambda curve: "high"})  # type: ignore[dict-item, return-value]
    assert problem.count("TypeError") == 3
    assert "..." not in problem
