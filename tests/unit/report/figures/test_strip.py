from typing import Any

import pytest

from actsweep.analysis import TrialCurve
from actsweep.report.figures.strip import TITLE
from rows_of_results import trial

from .conftest import figure, view

Row = dict[str, Any]


def test_it_ranks_cells_and_marks_the_mean_and_its_interval(results: Row, trials: list[TrialCurve]) -> None:
    results["cells"][1] |= {"test_acc_mean": 0.9725, "test_acc_mean_low": 0.97, "test_acc_mean_high": 0.975}
    strip = view(TITLE, results, trials)
    assert strip.layout["yaxis"]["ticktext"] == ["sigmoid/3", "relu/3"]
    points, bar, interval = strip.data[2:]
    assert sorted(points["x"]) == pytest.approx([96.8 + seed / 10 for seed in range(10)])
    assert bar["x"] == pytest.approx([97.25, 97.25])
    assert interval["x"] == pytest.approx([97, 97.5])
    assert all(0.5 < y < 1.5 for y in points["y"])


def test_the_caption_counts_the_runs_of_each_cell(results: Row, trials: list[TrialCurve]) -> None:
    assert view(TITLE, results, trials).caption.startswith("20 replicates: 10 relu/3, 10 sigmoid/3. ")


def test_the_mean_is_that_of_the_headline_where_blocks_have_unequally_many_runs(results: Row) -> None:
    """A block of 20 poor seeds among ten good ones counts once."""
    results["study"]["unit"] = "block"
    good = [trial("relu", block, 0.9, block=block) for block in range(1, 11)]
    poor = [trial("relu", 100 + seed, 0.3, block=0) for seed in range(20)]
    other = [trial("sigmoid", seed, 0.8) for seed in range(10)]
    results["trials"] = [*good, *poor, *other]
    results["cells"][0]["test_acc_mean"], results["cells"][1]["test_acc_mean"] = 0.8, 9.3 / 11
    strip = view(TITLE, results, [])
    assert strip.layout["yaxis"]["ticktext"] == ["sigmoid/3", "relu/3"]
    assert strip.data[-1]["x"] == pytest.approx([100 * 9.3 / 11] * 2, abs=0.01)
    assert "the mean over the means of blocks" in strip.caption


def test_failed_runs_are_not_drawn(two_runs: Row) -> None:
    two_runs["trials"][0] |= {"status": "failed", "test_acc": None}
    assert view(TITLE, two_runs, []).data[0]["x"] == [80]


def test_of_many_markers_some_are_drawn_but_the_mean_is_of_all(two_runs: Row) -> None:
    two_runs["trials"] = [trial("relu", seed, 0.9 if seed else 0.1) for seed in range(1000)]
    two_runs["cells"][0]["test_acc_mean"] = 0.8992
    strip = view(TITLE, two_runs, [])
    assert len(strip.data[0]["x"]) == 200
    assert min(strip.data[0]["x"]) == 10
    assert strip.data[1]["x"] == pytest.approx([89.92, 89.92])
    assert "the markers of 200 are drawn" in strip.caption


def test_without_test_accuracies_it_says_so(results: Row) -> None:
    for row in results["trials"]:
        row["test_acc"] = None
    assert figure(TITLE, results, []).missing == "No replicate has a test accuracy."
