import math
from typing import Any

import plotly.graph_objects as go
import pytest

from actsweep.report.figures import Figure, arm_styles, figures

from .conftest import cell, trial

Row = dict[str, Any]


def validation(results: Row, curves: list[Row]) -> Figure:
    return figures(results, curves)[0]


def curve(trial_id: str, val_acc: list[float | None], epoch: list[int] | None = None, **changes: Any) -> Row:
    place = {"trial_id": trial_id, "phase": "replicate", "cell": "relu/3", "arm": "relu", "train_acc": None}
    return {**place, "epoch": epoch or list(range(len(val_acc))), "val_acc": val_acc, **changes}


@pytest.fixture
def two_runs(results: Row) -> Row:
    """A study of ReLU alone, two replicates, three epochs."""
    results["cells"] = [cell("relu", n=2)]
    results["trials"] = [trial("relu", 0, 0.9), trial("relu", 1, 0.8)]
    results["study"]["horizon"] = 3
    return results


def test_every_figure_is_one_that_plotly_accepts(results: Row, curves: list[Row]) -> None:
    for figure in figures(results, curves):
        go.Figure({"data": figure.data, "layout": figure.layout})  # raises where a property does not exist


def test_a_cell_has_a_band_its_runs_and_a_median_and_a_strip(results: Row, curves: list[Row]) -> None:
    over_time, at_the_end = figures(results, curves)
    assert len(over_time.data) == 3 * len(results["cells"])
    assert len(at_the_end.data) == 2 * len(results["cells"])


def test_each_depth_has_its_own_curves(results: Row, curves: list[Row]) -> None:
    results["cells"].append(cell("relu", depth=6))
    results["trials"].append(trial("relu", 20, 0.9, depth=6))
    drawn = figures(results, [*curves, curve("relu-20", [0.1, 0.9], cell="relu/6")])
    assert [figure.title for figure in drawn] == [
        "Validation accuracy while training, depth 3",
        "Validation accuracy while training, depth 6",
        "Test accuracy of each replicate",
    ]
    assert drawn[1].caption.startswith("1 replicate: 1 relu. ")


def test_captions_say_how_many_runs_are_shown(results: Row, curves: list[Row]) -> None:
    captions = [figure.caption for figure in figures(results, curves)]
    assert captions[0].startswith("20 replicates: 10 sigmoid, 10 relu. ")
    assert captions[1].startswith("20 replicates: 10 relu/3, 10 sigmoid/3. ")


def test_axes_have_units(results: Row, curves: list[Row]) -> None:
    over_time, at_the_end = (figure.layout for figure in figures(results, curves))
    assert over_time["xaxis"]["title"]["text"] == "Epoch (passes over the training data)"
    assert over_time["yaxis"]["title"]["text"] == "Validation accuracy (%)"
    assert at_the_end["xaxis"]["title"]["text"] == "Test accuracy (%)"


def test_targets_are_dashed_lines(results: Row, curves: list[Row]) -> None:
    shapes = validation(results, curves).layout["shapes"]
    assert [(shape["y0"], shape["line"]["dash"]) for shape in shapes] == [(96.53, "dash"), (89.17, "dash")]


def test_without_targets_there_are_no_lines(results: Row, curves: list[Row]) -> None:
    results["targets"] = [{"depth": 3, "hi": None, "lo": None}]
    figure = validation(results, curves)
    assert figure.layout["shapes"] == []
    assert "dashed" not in figure.caption


def test_the_median_and_the_range_are_those_of_the_runs(two_runs: Row) -> None:
    band, single, median = validation(
        two_runs, [curve("relu-0", [0.1, 0.5, 0.9]), curve("relu-1", [0.2, 0.7, 0.8])]
    ).data
    assert median["x"] == [0, 1, 2]
    assert median["y"] == pytest.approx([15, 60, 85])
    assert band["y"] == pytest.approx([20, 70, 90, 80, 50, 10])
    assert single["y"] == pytest.approx([10, 50, 90, None, 20, 70, 80, None])


def test_a_diverged_run_counts_as_chance_to_the_end(two_runs: Row) -> None:
    two_runs["trials"][0] |= {"diverged": True, "test_acc": 0.1}
    _, single, median = validation(two_runs, [curve("relu-0", [0.1, 0.5]), curve("relu-1", [0.2, 0.7, 0.8, 0.9])]).data
    assert single["y"][:3] == pytest.approx([10, 10, 10])
    assert single["x"][:3] == [0, 1, 3]
    assert median["y"] == pytest.approx([15, 40, 45, 50])


def test_a_missing_evaluation_is_bridged(two_runs: Row) -> None:
    figure = validation(two_runs, [curve("relu-0", [0.1, None, 0.5]), curve("relu-1", [0.1, 0.2, 0.5])])
    assert figure.data[2]["y"] == pytest.approx([10, 25, 50])
    assert not any(isinstance(y, float) and math.isnan(y) for y in figure.data[1]["y"])


def test_failed_and_tune_trials_are_not_drawn(two_runs: Row) -> None:
    two_runs["trials"][0] |= {"status": "failed", "test_acc": None}
    two_runs["trials"].append(trial("relu", 7, 0.99, phase="tune"))
    drawn = [curve("relu-0", [0.1, 0.2]), curve("relu-1", [0.1, 0.3]), curve("relu-7", [0.1, 0.9], phase="tune")]
    over_time, at_the_end = figures(two_runs, drawn)
    assert over_time.data[2]["y"] == pytest.approx([10, 30])
    assert at_the_end.data[0]["x"] == [80]


def test_the_strip_ranks_cells_and_marks_the_mean(results: Row, curves: list[Row]) -> None:
    strip = figures(results, curves)[1]
    assert strip.layout["yaxis"]["ticktext"] == ["sigmoid/3", "relu/3"]
    points, bar = strip.data[2:]
    assert points["x"] == pytest.approx([96.8 + seed / 10 for seed in range(10)])
    assert bar["x"] == pytest.approx([97.25, 97.25])
    assert all(0.5 < y < 1.5 for y in points["y"])


def test_an_arm_has_the_same_colour_and_marker_everywhere(results: Row, curves: list[Row]) -> None:
    style = arm_styles(results)["relu"]
    over_time, strip = figures(results, curves)
    median, points = over_time.data[5], strip.data[2]
    assert (median["name"], points["name"]) == ("relu", "relu/3")
    assert median["marker"]["symbol"] == points["marker"]["symbol"] == style.marker
    assert median["line"]["color"] == style.colour
    assert points["marker"]["color"] == style.faint(0.75)


def test_a_figure_without_runs_is_left_out(results: Row) -> None:
    for row in results["trials"]:
        row["test_acc"] = None
    assert figures(results, []) == []


def test_plotly_shows_markup_in_names_as_it_is(results: Row) -> None:
    name = "<b>%{x}</b> & <a href='https://example.org'>"
    results["study"]["arms"] = [name]
    results["cells"] = [cell(name, depth=None)]
    results["trials"] = [trial(name, 0, 0.9, depth=None)]
    over_time, strip = figures(results, [curve(f"{name}-0", [0.1, 0.2], cell=name, arm=name)])
    escaped = "&lt;b&gt;%{x}&lt;/b&gt; &amp; &lt;a href='https://example.org'&gt;"
    assert over_time.data[2]["name"] == escaped
    assert strip.layout["yaxis"]["ticktext"] == [escaped]
    assert escaped in strip.data[0]["text"][0]
    assert "%{x}" not in strip.data[0]["hovertemplate"].replace("%{x:.2f}", "")
