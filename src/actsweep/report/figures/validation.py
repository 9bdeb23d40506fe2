"""Validation accuracy while training."""

from typing import Any

from actsweep.report.figures.figure import MOST_LINES, Figure, View, layout, runs_text, thinned_text
from actsweep.report.figures.over_epochs import EPOCH, LAYERS, layers_of, stacked
from actsweep.report.figures.runs import Material, Runs
from actsweep.report.rows import Row, stratum_of
from actsweep.report.wording import percent

TITLE = "Validation accuracy while training"


def validation(material: Material) -> Figure:
    """A view a stratum, the targets marked."""
    views = tuple(_view(where, cells, targets_of(material, stratum)) for stratum, where, cells in material.strata())
    return Figure(TITLE, views, material.lacks_replicates)


def targets_of(material: Material, stratum: tuple[Any, ...]) -> list[tuple[str, float]]:
    """The targets of a stratum by name, as fractions, without those that could not be derived."""
    rows = material.results["targets"]
    row: Row = next((row for row in rows if stratum_of(material.results, row) == stratum), {})
    return [(name, row[key]) for name, key in (("high", "hi"), ("low", "lo")) if row.get(key) is not None]


def _view(where: str, cells: list[Runs], targets: list[tuple[str, float]]) -> View:
    numbers = [len(runs) for runs in cells]
    layers = []
    for runs in cells:
        epoch, accuracy = runs.accuracy
        layers.append(layers_of(runs, epoch, 100 * accuracy, "%"))
    marked = f"; dashed: the targets ({', '.join(f'{name} {percent(y)}' for name, y in targets)})" if targets else ""
    return View(
        where,
        "",
        f"{runs_text((runs.arm, len(runs)) for runs in cells)}. {LAYERS}{marked}. A run that diverged counts as chance "
        f"from its last evaluation on.{thinned_text(numbers, MOST_LINES, 'the thin lines')}",
        stacked(layers),
        layout(
            EPOCH,
            "Validation accuracy (%)",
            shapes=[target_line(y) for _, y in targets],
            annotations=[_target_label(name, y) for name, y in targets],
        ),
    )


def target_line(accuracy: float) -> dict[str, Any]:
    """A dashed line across the plot at an accuracy, a fraction."""
    y = 100 * accuracy
    line = {"dash": "dash", "width": 1.5, "color": "#888888"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _target_label(name: str, accuracy: float) -> dict[str, Any]:
    anchor = {"xref": "paper", "x": 1, "xanchor": "right", "yanchor": "bottom" if name == "high" else "top"}
    return {**anchor, "y": 100 * accuracy, "text": f"{name} target", "showarrow": False}
