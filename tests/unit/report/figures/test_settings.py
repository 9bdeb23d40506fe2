from typing import Any

import pytest

from actsweep.report.figures.settings import IMPORTANCE, PARALLEL
from rows_of_results import trial

from .conftest import figure, view

Row = dict[str, Any]


@pytest.fixture
def tuned(results: Row) -> Row:
    results["trials"] = [
        trial(arm, seed, None, phase="tune", lr=10.0 ** (-seed), best_val_acc=0.5 + seed / 10)
        for arm in ("relu", "sigmoid")
        for seed in range(4)
    ]
    results["nuisance"] = {
        row["trial_id"]: {"lr": row["lr"], "momentum": 0.1 * row["seed"], "schedule": "none"}
        for row in results["trials"]
    }
    return results


def test_every_trial_is_a_line_through_its_settings(tuned: Row) -> None:
    shown = view(PARALLEL, tuned, [])
    axes = shown.layout["xaxis"]["ticktext"]
    assert axes == ["activation", "lr, log", "momentum", "best val acc (%)"]  # what never varies has none
    (relu,) = (trace for trace in shown.data if trace["name"] == "relu")
    assert relu["x"][:5] == [0, 1, 2, 3, None]
    assert len(relu["x"]) == 4 * 5
    assert relu["y"][1:4] == pytest.approx([0, 1, 1])  # the best: smallest lr, most momentum
    assert shown.caption.startswith("8 tune trials: 4 relu, 4 sigmoid.")


def test_the_axes_are_marked_with_their_values(tuned: Row) -> None:
    marks = {(one["x"], one["y"]): one["text"] for one in view(PARALLEL, tuned, []).layout["annotations"]}
    assert marks[1, 0.0] == "0.001"
    assert marks[1, 1.0] == "1"
    assert marks[0, 0.25] == "relu"


def test_of_many_trials_some_are_drawn(tuned: Row) -> None:
    tuned["trials"] = [trial("relu", n, None, phase="tune", lr=0.1, best_val_acc=n / 1000) for n in range(1000)]
    del tuned["nuisance"]
    shown = view(PARALLEL, tuned, [])
    assert sum(trace["x"].count(None) for trace in shown.data) <= 400
    assert "Of them 400 are drawn" in shown.caption


def test_importance_is_a_bar_a_setting_the_largest_at_the_top(tuned: Row) -> None:
    tuned["importance"] = {"trials": 8, "shares": {"lr": 0.75, "activation": 0.25}}
    shown = view(IMPORTANCE, tuned, [])
    assert shown.data[0]["y"] == ["activation", "lr"]
    assert shown.data[0]["x"] == pytest.approx([25, 75])
    assert shown.caption.startswith("8 tune trials that ran to the end.")


def test_without_it_they_say_why(results: Row) -> None:
    assert figure(PARALLEL, results, []).missing == "There were no tune trials."
    assert "sweeps of actsweep's own" in figure(IMPORTANCE, results, []).missing
    results["importance"] = None
    assert "eight tune trials" in figure(IMPORTANCE, results, []).missing
