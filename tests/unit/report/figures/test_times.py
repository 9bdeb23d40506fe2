from typing import Any

import numpy as np
import pytest

from actsweep.analysis import TrialCurve
from actsweep.report.figures.times import TITLE, reached_share
from rows_of_results import cell, run, trial

from .conftest import figure, view

Row = dict[str, Any]


@pytest.fixture
def timed(results: Row) -> Row:
    """Four runs of ReLU: two reach the high target, at epochs 2 and 4, and two never do."""
    results["cells"] = [cell("relu", n=4)]
    times = [(2, True), (4, True), (10, False), (3, False)]
    results["trials"] = [
        trial("relu", seed, 0.9, epochs_to_target_hi=time, reached_hi=reached, seconds_to_target_hi=10 * time)
        for seed, (time, reached) in enumerate(times)
    ]
    results["targets"] = [{"depth": 3, "hi": 0.9, "lo": None}]
    return results


def curves() -> list[TrialCurve]:
    return [run(f"relu-{seed}", [0.1, 0.9]) for seed in range(4)]


def test_the_estimate_is_kaplan_and_meiers() -> None:
    """Known values: of 4 at risk one reaches it at 2; one is lost at 3; of the 2 left one reaches it at 4."""
    x, share = reached_share(np.array([2.0, 4.0, 10.0, 3.0]), np.array([True, True, False, False]))
    at = dict(zip(x.tolist(), share.tolist(), strict=True))
    assert at[0] == 0
    assert at[2] == pytest.approx(1 / 4)
    assert at[4] == pytest.approx(1 - 3 / 4 * 1 / 2)
    assert share[-1] == pytest.approx(at[4])


def test_all_that_reach_it_at_once_are_all() -> None:
    x, share = reached_share(np.array([5.0, 5.0]), np.array([True, True]))
    assert x.tolist() == [0, 5]
    assert share.tolist() == [0, 1]


def test_a_run_that_never_got_there_is_marked_where_it_was_watched_to(timed: Row) -> None:
    line, marks = view(TITLE, timed, curves()).data
    assert marks["x"] == [3, 10]
    assert marks["text"] == ["1 run", "1 run"]
    assert marks["y"] == pytest.approx([25, 62.5])
    assert marks["marker"]["symbol"].endswith("-open")
    assert line["line"]["shape"] == "hv"
    assert line["x"][-1] == 10


def test_every_unit_of_time_that_was_recorded_can_be_chosen(timed: Row) -> None:
    drawn = figure(TITLE, timed, curves())
    assert [one.form for one in drawn.views] == ["high target, epochs", "high target, seconds"]
    assert drawn.views[1].data[1]["x"] == [30, 100]
    assert drawn.missing == "Not recorded: steps."
    assert drawn.views[1].layout["xaxis"]["title"]["text"] == "Training time (s)"


def test_the_caption_says_that_it_is_a_picture_only(timed: Row) -> None:
    caption = view(TITLE, timed, curves()).caption
    assert caption.startswith("4 replicates: 4 relu.")
    assert "has reached 90 %" in caption
    assert "the verdicts use restricted means" in caption


def test_a_line_ends_where_the_last_run_of_its_arm_was_watched(timed: Row) -> None:
    timed["cells"].append(cell("sigmoid", n=1))
    timed["trials"].append(trial("sigmoid", 0, 0.9, epochs_to_target_hi=200, reached_hi=False))
    relu, _, sigmoid, marks = view(TITLE, timed, [*curves(), run("sigmoid-0", [0.1, 0.2], arm="sigmoid")]).data
    assert relu["x"][-1] == 10
    assert sigmoid["x"][-1] == 200
    assert marks["x"] == [200]


def test_runs_that_were_watched_equally_long_are_one_marker_with_their_number(timed: Row) -> None:
    for row in timed["trials"]:
        row |= {"reached_hi": False, "epochs_to_target_hi": 10}
    shown = view(TITLE, timed, curves())
    assert shown.data[1]["text"] == ["4 runs"]
    assert "censored: 4 relu" in shown.caption


def test_without_a_target_it_says_so(timed: Row) -> None:
    timed["targets"] = []
    assert "There is no target" in figure(TITLE, timed, curves()).missing
