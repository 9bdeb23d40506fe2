"""Figures of made-up studies, found by their title."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import pytest

from actsweep.analysis import TrialCurve
from actsweep.report.figures import Figure, View, figures
from rows_of_results import cell, trial

Row = dict[str, Any]


def figure(title: str, results: Row, trials: Sequence[TrialCurve]) -> Figure:
    """The figure of that title, all of whose views plotly accepts."""
    (found,) = (one for one in figures(results, trials) if one.title == title)
    for view in found.views:
        go.Figure({"data": view.data, "layout": view.layout})  # raises where a property does not exist
    return found


def view(title: str, results: Row, trials: Sequence[TrialCurve], form: str | None = None) -> View:
    """The first view of a figure, or the one of that form."""
    views = figure(title, results, trials).views
    return views[0] if form is None else next(one for one in views if one.form == form)


@pytest.fixture
def two_runs(results: Row) -> Row:
    """A study of ReLU alone, two replicates, three epochs."""
    results["cells"] = [cell("relu", n=2)]
    results["trials"] = [trial("relu", 0, 0.9), trial("relu", 1, 0.8)]
    results["study"]["horizon"] = 3
    return results
