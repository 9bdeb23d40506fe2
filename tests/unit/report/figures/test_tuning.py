from typing import Any

import pytest

from actsweep.report.figures.tuning import BEST_OF_K, RATES
from rows_of_results import trial

from .conftest import figure, view

Row = dict[str, Any]


def tuned(results: Row, rates: list[float]) -> Row:
    results["trials"] = [
        trial(arm, seed, None, phase="tune", lr=lr, best_val_acc=0.5 + seed / 100)
        for arm in ("relu", "sigmoid")
        for seed, lr in enumerate(rates)
    ]
    return results


def test_few_learning_rates_have_a_column_each(results: Row) -> None:
    shown = view(RATES, tuned(results, [0.001, 0.01, 0.001]), [])
    (heat,) = shown.data
    assert shown.layout["xaxis"]["ticktext"] == ["0.001", "0.01"]
    assert shown.layout["yaxis"]["ticktext"] == ["sigmoid/3", "relu/3"]
    assert heat["z"][1] == pytest.approx([51, 51])
    assert heat["text"][1] == ["2 trials", "1 trial"]


def test_many_are_put_together_and_none_is_lost(results: Row) -> None:
    rates = [10 ** (-4 + 3 * place / 99) for place in range(100)]
    shown = view(RATES, tuned(results, rates), [])
    (heat,) = shown.data
    assert len(heat["x"]) == 12
    assert sum(int(said.split()[0]) for said in heat["text"][0]) == 100
    assert shown.layout["xaxis"]["ticktext"][0].startswith("0.0001 to ")


def test_rates_that_look_alike_have_a_column_each(results: Row) -> None:
    (heat,) = view(RATES, tuned(results, [0.001 + 1e-9 * place for place in range(8)]), []).data
    assert len(set(heat["x"])) == 8


def test_trials_that_were_stopped_are_told_of(results: Row) -> None:
    tuned(results, [0.001, 0.01])["trials"][0]["status"] = "stopped"
    assert "1 of them were stopped early" in view(RATES, results, []).caption


def test_where_nothing_was_tried_there_is_no_colour(results: Row) -> None:
    tuned(results, [0.001, 0.01])["trials"].pop()
    (heat,) = view(RATES, results, []).data
    assert heat["z"][0] == [pytest.approx(50), None]


def test_the_caption_counts_tune_trials(results: Row) -> None:
    assert view(RATES, tuned(results, [0.001]), []).caption.startswith("2 tune trials: 1 relu, 1 sigmoid.")


def test_the_best_of_k_is_drawn_for_each_arm(results: Row) -> None:
    for row in results["cells"]:
        row["best_of_k"] = [0.5, 0.6, 0.7]
    shown = view(BEST_OF_K, results, [])
    assert [trace["name"] for trace in shown.data] == ["sigmoid", "relu"]
    assert shown.data[0]["x"] == [1, 2, 3]
    assert shown.data[0]["y"] == pytest.approx([50, 60, 70])


def test_without_tune_trials_they_say_so(results: Row) -> None:
    assert {figure(title, results, []).missing for title in (RATES, BEST_OF_K)} == {"There were no tune trials."}


def test_without_a_learning_rate_the_map_says_so(results: Row) -> None:
    for row in tuned(results, [0.1])["trials"]:
        row["lr"] = None
    assert figure(RATES, results, []).missing == "No learning rate was tuned."
