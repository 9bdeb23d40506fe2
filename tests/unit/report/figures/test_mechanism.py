from typing import Any

import pytest

from actsweep.report.figures.mechanism import GRADIENTS, UNITS
from rows_of_results import run

from .conftest import figure, view

Row = dict[str, Any]


def curves() -> list[Any]:
    """Two runs of three layers, whose gradients shrink tenfold from layer to layer before training, and not after."""
    norms = {f"grad_norm_{layer}": [10.0 ** (layer - 3), 1.0] for layer in (1, 2, 3)}
    twice = {name: [2 * value for value in values] for name, values in norms.items()}
    return [run("relu-0", [0.1, 0.9], dead=[0.1, 0.3], **norms), run("relu-1", [0.1, 0.9], dead=[0.2, 0.4], **twice)]


def test_gradients_are_shown_by_layer_before_and_after_training(two_runs: Row) -> None:
    drawn = figure(GRADIENTS, two_runs, curves())
    assert [one.form for one in drawn.views] == ["before training", "at the last evaluation"]
    band, median = drawn.views[0].data
    assert median["x"] == [1, 2, 3]
    assert median["y"] == pytest.approx([0.015, 0.15, 1.5])
    assert band["y"] == pytest.approx([0.02, 0.2, 2, 1, 0.1, 0.01])
    assert drawn.views[1].data[1]["y"] == pytest.approx([1.5] * 3)


def test_a_diverged_run_is_left_out(two_runs: Row) -> None:
    two_runs["trials"][1] |= {"diverged": True}
    shown = view(GRADIENTS, two_runs, curves())
    assert shown.caption.startswith("1 replicate: 1 relu.")
    assert shown.data[1]["y"] == pytest.approx([0.01, 0.1, 1])


def test_shares_of_units_are_shown_over_epochs(two_runs: Row) -> None:
    drawn = figure(UNITS, two_runs, curves())
    assert [one.form for one in drawn.views] == ["dead"]
    assert drawn.views[0].data[2]["y"] == pytest.approx([15, 35])
    assert drawn.missing == "No saturated units were recorded."


def test_what_was_not_recorded_is_said(two_runs: Row) -> None:
    bare = [run("relu-0", [0.1, 0.9])]
    assert figure(GRADIENTS, two_runs, bare).missing == "Gradients by layer (grad_norm_1, ...) were not recorded."
    assert figure(UNITS, two_runs, bare).missing.startswith("Neither saturated nor dead units were recorded")
