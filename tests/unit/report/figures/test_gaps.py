import math
from typing import Any

import pytest

from actsweep.report.figures.gaps import AGAINST_EPOCHS, AGAINST_LOSS
from rows_of_results import cell, run, trial

from .conftest import figure, view

Row = dict[str, Any]


def curves() -> list[Any]:
    """Two runs whose gap is 0, 1 and 2 pp as their train loss falls from 2 over 1 to 0.5."""
    series = {"train_acc": [0.1, 0.51, 0.92], "train_loss": [2.0, 1.0, 0.5]}
    return [run("relu-0", [0.1, 0.5, 0.9], **series), run("relu-1", [0.1, 0.5, 0.9], **series)]


def test_the_gap_is_train_minus_validation_accuracy(two_runs: Row) -> None:
    median = view(AGAINST_EPOCHS, two_runs, curves()).data[2]
    assert median["x"] == [0, 1, 2]
    assert median["y"] == pytest.approx([0, 1, 2])


def test_against_the_loss_it_is_what_the_method_interpolates(two_runs: Row) -> None:
    two_runs["targets"] = [{"depth": 3, "hi": 0.9, "lo": 0.8, "loss_match": 1.0}]
    shown = view(AGAINST_LOSS, two_runs, curves())
    _, median = shown.data
    assert median["x"][0] == 2
    assert median["x"][-1] == pytest.approx(0.5)
    for loss, gap in zip(median["x"], median["y"], strict=True):  # linear in the loss between evaluations
        assert gap == pytest.approx(2 - loss if loss >= 1 else 1 + 2 * (1 - loss), abs=0.01)
    assert shown.layout["xaxis"]["autorange"] == "reversed"
    assert shown.layout["shapes"][-1]["x0"] == 1.0
    assert "Dashed" in shown.caption


def test_a_diverged_run_has_no_gap_and_is_counted(two_runs: Row) -> None:
    two_runs["trials"][1] |= {"diverged": True}
    both = [curves()[0], run("relu-1", [0.1, 0.2], train_acc=[0.1, 0.9], train_loss=[2.0, math.inf], status="diverged")]
    for title in (AGAINST_EPOCHS, AGAINST_LOSS):
        shown = view(title, two_runs, both)
        assert shown.caption.startswith("1 replicate: 1 relu. Left out, since they diverged: 1 relu.")
        assert max(shown.data[-1]["y"]) == pytest.approx(2)


def test_an_arm_all_of_whose_runs_diverged_is_still_told_of(two_runs: Row) -> None:
    two_runs["cells"].append(cell("sigmoid"))
    two_runs["trials"].append(trial("sigmoid", 5, 0.1, diverged=True))
    lost = run("sigmoid-5", [0.1, 0.1], arm="sigmoid", train_acc=[0.1, 0.1], train_loss=[2.0, 9.0], status="diverged")
    for title in (AGAINST_EPOCHS, AGAINST_LOSS):
        assert "Left out, since they diverged: 1 sigmoid." in view(title, two_runs, [*curves(), lost]).caption


def test_before_the_first_replicate_nothing_is_called_unrecorded(two_runs: Row) -> None:
    assert {figure(title, two_runs, []).missing for title in (AGAINST_EPOCHS, AGAINST_LOSS)} == {
        "No replicate has been trained yet."
    }


def test_the_line_ends_where_fewer_than_half_of_the_runs_get_to(two_runs: Row) -> None:
    low = [0.1, 0.5, 0.9]
    runs = [
        *curves(),
        *(run(f"relu-{n}", low, train_acc=low, train_loss=[2.0, 1.8, 1.6]) for n in (2, 3, 4)),
    ]
    two_runs["trials"] = [{**two_runs["trials"][0], "trial_id": f"relu-{n}"} for n in range(5)]
    assert min(view(AGAINST_LOSS, two_runs, runs).data[-1]["x"]) >= 1.59


def test_what_was_not_recorded_is_said(two_runs: Row) -> None:
    bare = [run("relu-0", [0.1, 0.9])]
    assert figure(AGAINST_EPOCHS, two_runs, bare).missing == "The accuracy on the train probe was not recorded."
    assert not figure(AGAINST_LOSS, two_runs, bare).views
