"""Test accuracy of each replicate, with the mean of each cell and its interval."""

from typing import Any

import numpy as np

from actsweep.report.figures.figure import (
    MARGINS,
    MOST_POINTS,
    ROW_HEIGHT,
    Figure,
    Trace,
    View,
    layout,
    named,
    plain,
    runs_text,
    shown,
    spread,
    thinned_text,
)
from actsweep.report.figures.runs import Material
from actsweep.report.palette import Style
from actsweep.report.rows import Row, arm_of, cell_label

TITLE = "Test accuracy of each replicate"
_JITTER = 0.28  # rows


def strip(material: Material) -> Figure:
    """A row a cell, the best at the top; where markers would hide each other they are moved within their row."""
    cells = {cell_label(material.results, cell): cell for cell in material.results["cells"]}
    by_label: dict[str, list[Row]] = {}
    for row in material.results["trials"]:
        label = cell_label(material.results, row)
        if row["phase"] == "replicate" and row["test_acc"] is not None and label in cells:
            by_label.setdefault(label, []).append(row)
    if not by_label:
        return Figure(TITLE, (), "No replicate has a test accuracy.")
    labels = sorted(by_label, key=lambda label: float(cells[label]["test_acc_mean"] or 0.0))
    data: list[Trace] = []
    for place, label in enumerate(labels):
        rows = by_label[label]
        data += _row(place, label, rows, cells[label], material.styles[arm_of(material.results, rows[0])])
    numbers = [(label, len(by_label[label])) for label in reversed(labels)]
    thinned = thinned_text([number for _, number in numbers], MOST_POINTS, "the markers")
    caption = (
        f"{runs_text(numbers)}. One marker a run, at its final weights; the upright bar is the mean{_over(material)}, "
        f"the line through it its 95 % interval.{thinned}"
    )
    view = View("", "", caption, data, _layout(labels))
    return Figure(TITLE, (view,), height=MARGINS + ROW_HEIGHT * len(labels))


def _over(material: Material) -> str:
    return " over the means of blocks" if material.results["study"].get("unit") == "block" else ""


def _layout(labels: list[str]) -> dict[str, Any]:
    ticks = {"tickvals": list(range(len(labels))), "ticktext": [shown(label) for label in labels]}
    return layout("Test accuracy (%)", "", yaxis={**ticks, "range": [-0.6, len(labels) - 0.4]}, showlegend=False)


def _row(place: int, label: str, rows: list[Row], cell: Row, style: Style) -> list[Trace]:
    rows = sorted(rows, key=lambda row: (-row["test_acc"], str(row["trial_id"])))
    mean = 100 * float(cell["test_acc_mean"])
    rows = [rows[index] for index in sorted(spread(len(rows), MOST_POINTS))]
    seeds = sorted(rows, key=lambda row: (row["seed"], str(row["trial_id"])))  # no order that looks like a finding
    offsets = np.linspace(-_JITTER, _JITTER, len(seeds)) if len(seeds) > 1 else np.zeros(1)
    points = named(
        label,
        mode="markers",
        x=plain([100 * row["test_acc"] for row in seeds]),
        y=plain(place + offsets),
        marker={"symbol": style.marker, "size": 9, "color": style.faint(0.75)},
        text=[shown(f"trial {row['trial_id']}, seed {row['seed']}") for row in seeds],
        hovertemplate="%{x:.2f} %<br>%{text}<extra>%{fullData.name}</extra>",
    )
    bar = _line(label, [mean, mean], [place - 0.4, place + 0.4], style, "mean %{x:.2f} %")
    ends = [cell.get(f"test_acc_mean_{end}") for end in ("low", "high")]
    if None in ends:
        return [points, bar]
    low, high = (100 * float(end) for end in ends if end is not None)
    return [points, bar, _line(label, [low, high], [place, place], style, "95 % interval of the mean: %{x:.2f} %")]


def _line(label: str, x: list[float], y: list[float], style: Style, says: str) -> Trace:
    line = {"width": 3, "color": style.colour}
    return named(
        label, mode="lines", x=plain(x), y=plain(y), line=line, hovertemplate=f"{says}<extra>%{{fullData.name}}</extra>"
    )
