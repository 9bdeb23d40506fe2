"""The tune phase: how good each learning rate was in each cell, and how much tuning each cell needs."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from actsweep.curves import FloatArray
from actsweep.plural import count
from actsweep.report.figures.figure import (
    MARGINS,
    ROW_HEIGHT,
    Figure,
    View,
    layout,
    line_and_marker,
    named,
    plain,
    runs_text,
    shown,
)
from actsweep.report.figures.runs import Material
from actsweep.report.rows import Row, arm_of, cell_label, strata, stratum_of, stratum_text
from actsweep.report.wording import number

RATES = "Learning rates tried"
BEST_OF_K = "How much tuning it takes"
_MOST_COLUMNS = 12
_NOT_TUNED = "There were no tune trials."


@dataclass(frozen=True)
class _Column:
    """Learning rates from `low` on, and how they are called."""

    low: float
    said: str


def learning_rates(material: Material) -> Figure:
    """A heat map: a row a cell, rows of one arm together, a column a learning rate, or a range of them."""
    trials = [row for row in tuned(material) if row["lr"] and row["lr"] > 0]
    if not trials:
        return Figure(RATES, (), "No learning rate was tuned." if tuned(material) else _NOT_TUNED)
    rows = _cells_by_arm(material)
    columns = _columns([row["lr"] for row in trials])
    best, tried = _binned(material, trials, rows, columns)
    heat = {
        "type": "heatmap",
        "z": [plain(line) for line in best],
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "customdata": [[f"{shown(label)} at lr {column.said}" for column in columns] for label in rows],
        "text": [[count(number_of, "trial") for number_of in line] for line in tried],
        "colorscale": "Cividis",
        "colorbar": {"title": {"text": "%"}, "thickness": 14, "len": 1},
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{customdata}: median best validation accuracy %{z:.1f} %, %{text}<extra></extra>",
    }
    caption = (
        f"{runs_text(_by_arm(material, trials), 'tune trial')}. Median best validation accuracy (%) of the trials at a "
        "learning rate, or in a range of them; no colour: none was tried there. A run that diverged counts as chance."
        f"{stopped_text(trials)}"
    )
    axes = layout(
        "Learning rate",
        "",
        xaxis={
            "tickvals": list(range(len(columns))),
            "ticktext": [column.said for column in columns],
            "showgrid": False,
        },
        yaxis={"tickvals": list(range(len(rows))), "ticktext": [shown(label) for label in rows], "showgrid": False},
    )
    height = MARGINS + 20 + max(2, len(rows)) * ROW_HEIGHT * 3 // 4
    return Figure(RATES, (View("", "", caption, [heat], axes),), height=height)


def best_of_k(material: Material) -> Figure:
    """Expected best validation accuracy against the number of tune trials, a view a stratum."""
    views = []
    for stratum in strata(material.results):
        cells = [
            cell
            for cell in material.results["cells"]
            if stratum_of(material.results, cell) == stratum and cell.get("best_of_k")
        ]
        if cells:
            views.append(_best_of_k(material, stratum_text(material.results, stratum), cells))
    return Figure(BEST_OF_K, tuple(views), "" if views else _NOT_TUNED)


def tuned(material: Material) -> list[Row]:
    """The tune trials that have a result."""
    rows = material.results["trials"]
    return [row for row in rows if row["phase"] == "tune" and row.get("best_val_acc") is not None]


def stopped_text(trials: Sequence[Row]) -> str:
    """A sentence on the trials that were stopped early; empty where none was."""
    stopped = sum(row["status"] == "stopped" for row in trials)
    return f" {stopped} of them were stopped early, and count with their best until then." if stopped else ""


def _best_of_k(material: Material, where: str, cells: Sequence[Row]) -> View:
    data = []
    for cell in cells:
        arm = arm_of(material.results, cell)
        values = np.array(cell["best_of_k"], dtype=np.float64)
        data.append(
            named(
                arm,
                **line_and_marker(material.styles[arm]),
                x=list(range(1, len(values) + 1)),
                y=plain(100 * values),
                hovertemplate="best of %{x}: %{y:.1f} % expected<extra>%{fullData.name}</extra>",
            )
        )
        data[-1]["marker"] |= {"maxdisplayed": 12}
    numbers = [(arm_of(material.results, cell), len(cell["best_of_k"])) for cell in cells]
    labels = {cell_label(material.results, cell) for cell in cells}
    tried = [row for row in tuned(material) if cell_label(material.results, row) in labels]
    caption = (
        f"{runs_text(numbers, 'tune trial')}. What the best of k of them comes to on average: an arm whose line is "
        "still rising at its end needs more tuning; one whose line is flat early is easy to tune."
        f"{stopped_text(tried)}"
    )
    axes = layout("Tune trials (k)", "Expected best validation accuracy (%)", xaxis={"rangemode": "tozero"})
    return View(where, "", caption, data, axes)


def _cells_by_arm(material: Material) -> list[str]:
    """The labels of all cells, those of an arm side by side, in the order in which a plot stacks them: last first."""
    arms = list(material.styles)
    cells = sorted(material.results["cells"], key=lambda cell: arms.index(arm_of(material.results, cell)))
    return [cell_label(material.results, cell) for cell in reversed(cells)]


def _columns(rates: Sequence[float]) -> list[_Column]:
    """A column a learning rate where there are few, else a column for each part of their range, equal in logarithms."""
    distinct = sorted(set(rates))
    if len(distinct) <= _MOST_COLUMNS:
        return [_Column(rate, number(rate)) for rate in distinct]
    edges = np.geomspace(distinct[0], distinct[-1], _MOST_COLUMNS + 1).tolist()
    return [_Column(low, f"{number(low)} to {number(high)}") for low, high in pairwise(edges)]


def _binned(
    material: Material, trials: Sequence[Row], rows: Sequence[str], columns: Sequence[_Column]
) -> tuple[list[FloatArray], list[list[int]]]:
    """Median best accuracy in per cent and the number of trials, by row and column."""
    found: dict[tuple[str, int], list[float]] = {}
    lows = [column.low for column in columns]
    for row in trials:
        column = max(0, bisect_right(lows, row["lr"]) - 1)
        found.setdefault((cell_label(material.results, row), column), []).append(100 * row["best_val_acc"])
    places = range(len(columns))
    best = [np.array([np.median(found.get((label, place), [np.nan])) for place in places]) for label in rows]
    return best, [[len(found.get((label, place), [])) for place in places] for label in rows]


def _by_arm(material: Material, trials: Sequence[Row]) -> list[tuple[str, int]]:
    arms = [arm_of(material.results, row) for row in trials]
    return [(arm, arms.count(arm)) for arm in dict.fromkeys(arms)]
