import math
from typing import Any

import pytest

from actsweep.analysis import TrialCurve
from actsweep.report.figures import arm_styles
from actsweep.report.figures.validation import TITLE
from rows_of_results import cell, run, trial

from .conftest import figure, view

Row = dict[str, Any]


def test_a_cell_has_a_band_its_runs_and_a_median(results: Row, trials: list[TrialCurve]) -> None:
    assert len(view(TITLE, results, trials).data) == 3 * len(results["cells"])


def test_each_depth_has_its_own_view(results: Row, trials: list[TrialCurve]) -> None:
    results["cells"].append(cell("relu", depth=6))
    results["trials"].append(trial("relu", 20, 0.9, depth=6))
    drawn = figure(TITLE, results, [*trials, run("relu-20", [0.1, 0.9], strata=(6,))])
    assert [view.where for view in drawn.views] == ["depth 3", "depth 6"]
    assert drawn.views[1].caption.startswith("1 replicate: 1 relu. ")


def test_the_caption_says_how_many_runs_are_shown(results: Row, trials: list[TrialCurve]) -> None:
    assert view(TITLE, results, trials).caption.startswith("20 replicates: 10 sigmoid, 10 relu. ")


def test_axes_have_units(results: Row, trials: list[TrialCurve]) -> None:
    layout = view(TITLE, results, trials).layout
    assert layout["xaxis"]["title"]["text"] == "Epoch (passes over the training data)"
    assert layout["yaxis"]["title"]["text"] == "Validation accuracy (%)"


def test_targets_are_dashed_lines(results: Row, trials: list[TrialCurve]) -> None:
    shapes = view(TITLE, results, trials).layout["shapes"]
    assert [(shape["y0"], shape["line"]["dash"]) for shape in shapes] == [(96.53, "dash"), (89.17, "dash")]


def test_without_targets_there_are_no_lines(results: Row, trials: list[TrialCurve]) -> None:
    results["targets"] = [{"depth": 3, "hi": None, "lo": None}]
    shown = view(TITLE, results, trials)
    assert shown.layout["shapes"] == []
    assert "dashed" not in shown.caption


def test_the_median_and_the_range_are_those_of_the_runs(two_runs: Row) -> None:
    band, single, median = view(TITLE, two_runs, [run("relu-0", [0.1, 0.5, 0.9]), run("relu-1", [0.2, 0.7, 0.8])]).data
    assert median["x"] == [0, 1, 2]
    assert median["y"] == pytest.approx([15, 60, 85])
    assert band["y"] == pytest.approx([20, 70, 90, 80, 50, 10])
    assert single["y"] == pytest.approx([10, 50, 90, None, 20, 70, 80, None])


def test_a_diverged_run_counts_as_chance_to_the_end(two_runs: Row) -> None:
    two_runs["trials"][0] |= {"diverged": True, "test_acc": 0.1, "final_val_acc": 0.1}
    two_runs["trials"][1] |= {"final_val_acc": 0.9}
    diverged = run("relu-0", [0.1, 0.5], status="diverged")
    _, single, median = view(TITLE, two_runs, [diverged, run("relu-1", [0.2, 0.7, 0.8, 0.9])]).data
    assert single["x"][5:] == [0, 1, 3, None]
    assert single["y"][5:] == pytest.approx([10, 10, 10, None])
    assert median["y"] == pytest.approx([15, 40, 45, 50])


def test_a_missing_evaluation_is_bridged(two_runs: Row) -> None:
    shown = view(TITLE, two_runs, [run("relu-0", [0.1, None, 0.5]), run("relu-1", [0.1, 0.2, 0.5])])
    assert shown.data[2]["y"] == pytest.approx([10, 25, 50])
    assert not any(isinstance(y, float) and math.isnan(y) for y in shown.data[1]["y"])


def test_failed_and_tune_trials_are_not_drawn(two_runs: Row) -> None:
    two_runs["trials"][0] |= {"status": "failed", "test_acc": None}
    two_runs["trials"].append(trial("relu", 7, 0.99, phase="tune"))
    drawn = [
        run("relu-0", [0.1, 0.2], status="failed"),
        run("relu-1", [0.1, 0.3]),
        run("relu-7", [0.1, 0.9], phase="tune"),
    ]
    assert view(TITLE, two_runs, drawn).data[2]["y"] == pytest.approx([10, 30])


def test_a_curve_ends_at_the_horizon(two_runs: Row) -> None:
    """As `analyze --horizon` cuts it."""
    two_runs["study"]["horizon"] = 1
    assert view(TITLE, two_runs, [run("relu-0", [0.1, 0.5, 0.9]), run("relu-1", [0.2, 0.7])]).data[2]["x"] == [0, 1]


def test_an_arm_has_the_same_colour_and_marker_everywhere(results: Row, trials: list[TrialCurve]) -> None:
    style = arm_styles(results)["relu"]
    median = view(TITLE, results, trials).data[5]
    points = view("Test accuracy of each replicate", results, trials).data[2]
    assert (median["name"], points["name"]) == ("relu", "relu/3")
    assert median["marker"]["symbol"] == points["marker"]["symbol"] == style.marker
    assert median["line"]["color"] == style.colour
    assert points["marker"]["color"] == style.faint(0.75)


def test_of_many_runs_some_are_drawn_from_the_best_to_the_worst(two_runs: Row) -> None:
    two_runs["trials"] = [trial("relu", seed, 0.5, final_val_acc=seed / 1000) for seed in range(500)]
    shown = view(TITLE, two_runs, [run(f"relu-{seed}", [0.1, seed / 1000]) for seed in range(500)])
    ends = [y for x, y in zip(shown.data[1]["x"], shown.data[1]["y"], strict=True) if x == 1]
    assert len(ends) == 40
    assert (max(ends), min(ends)) == pytest.approx((49.9, 0))
    assert "Of more than 40 runs of a cell the thin lines of 40 are drawn" in shown.caption
    assert shown.caption.startswith("500 replicates: 500 relu.")


def test_plotly_shows_markup_in_names_as_it_is(results: Row) -> None:
    name = "<b>%{x}</b> & <a href='https://example.org'>"
    results["study"]["arms"] = [name]
    results["cells"] = [cell(name, depth=None)]
    results["trials"] = [trial(name, 0, 0.9, depth=None)]
    curves = [run(f"{name}-0", [0.1, 0.2], arm=name, strata=(None,))]
    escaped = "&lt;b&gt;%{x}&lt;/b&gt; &amp; &lt;a href='https://example.org'&gt;"
    assert view(TITLE, results, curves).data[2]["name"] == escaped
    strip = view("Test accuracy of each replicate", results, curves)
    assert strip.layout["yaxis"]["ticktext"] == [escaped]
    assert escaped in strip.data[0]["text"][0]
    assert "%{x}" not in strip.data[0]["hovertemplate"].replace("%{x:.2f}", "")


def test_without_a_replicate_it_says_so(results: Row) -> None:
    assert figure(TITLE, results, []).missing == "No replicate has been trained yet."
