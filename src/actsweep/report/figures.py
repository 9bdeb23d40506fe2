"""The page's figures as plain plotly specifications; nothing here imports plotly."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actsweep.report.palette import Style, styles
from actsweep.report.rows import Results, Row, arm_of, cell_label, strata, stratum_of, stratum_text
from actsweep.report.wording import clean, count, percent

Curve = Mapping[str, Any]
Trace = dict[str, Any]

_ROW_HEIGHT, _MARGINS = 48, 110  # pixels
_PLOT_HEIGHT = 420
_JITTER = 0.28  # rows


@dataclass(frozen=True)
class Figure:
    """One figure: a heading, a caption that says how many runs it shows, plotly's data and layout, height in pixels."""

    title: str
    caption: str
    data: list[Trace]
    layout: dict[str, Any]
    height: int


def arm_styles(results: Results) -> dict[str, Style]:
    """The style of each arm of a study."""
    return styles([*map(clean, results["study"]["arms"]), *(arm_of(results, cell) for cell in results["cells"])])


def figures(results: Results, curves: Iterable[Curve]) -> list[Figure]:
    """All figures of a study that have something to show.

    Args:
        results: the results dictionary.
        curves: one mapping a trial with `trial_id`, `phase`, `cell` (the cell's label), `arm`, and as lists of equal
            length `epoch` and `val_acc` (None where not recorded).
    """
    drawn = arm_styles(results)
    runs = _replicates(results, curves)
    found = [_validation(results, stratum, runs, drawn) for stratum in strata(results)]
    return [figure for figure in (*found, _test(results, drawn)) if figure is not None]


def _validation(
    results: Results, stratum: tuple[Any, ...], runs: Mapping[str, Sequence["_Run"]], drawn: Mapping[str, Style]
) -> Figure | None:
    cells = [cell for cell in results["cells"] if stratum_of(results, cell) == stratum]
    shown = [(arm_of(results, cell), runs.get(cell_label(results, cell), ())) for cell in cells]
    shown = [(arm, some) for arm, some in shown if some]
    if not shown:
        return None
    layers = [_cell_traces(arm, some, drawn[arm]) for arm, some in shown]
    where = stratum_text(results, stratum)
    targets = _targets(results, stratum)
    return Figure(
        title="Validation accuracy while training" + (f", {where}" if where else ""),
        caption=(
            f"{_runs_text(shown)}. Thick line: median; band: lowest to highest; thin lines: single runs"
            + (f"; dashed: the targets ({', '.join(f'{name} {percent(y)}' for name, y in targets)})" if targets else "")
            + ". A run that diverged counts as chance from its last evaluation on."
        ),
        data=[trace for layer in zip(*layers, strict=True) for trace in layer],
        layout={
            **_layout("Epoch (passes over the training data)", "Validation accuracy (%)"),
            "shapes": [_target_line(y) for _, y in targets],
            "annotations": [_target_label(name, y) for name, y in targets],
        },
        height=_PLOT_HEIGHT,
    )


def _test(results: Results, drawn: Mapping[str, Style]) -> Figure | None:
    """A row a cell, the best at the top; where markers would hide each other they are moved within their row."""
    tested = [row for row in results["trials"] if row["phase"] == "replicate" and row["test_acc"] is not None]
    by_label: dict[str, list[Row]] = {}
    for row in tested:
        by_label.setdefault(cell_label(results, row), []).append(row)
    if not by_label:
        return None
    labels = sorted(by_label, key=lambda label: float(np.mean([row["test_acc"] for row in by_label[label]])))
    shown = [(label, by_label[label]) for label in labels]
    axis = {"tickvals": list(range(len(labels))), "ticktext": [_shown(label) for label in labels], "automargin": True}
    layout = _layout("Test accuracy (%)", "")
    layout["yaxis"] |= {**axis, "range": [-0.6, len(labels) - 0.4], "zeroline": False}
    layout["showlegend"] = False
    return Figure(
        title="Test accuracy of each replicate",
        caption=f"{_runs_text(reversed(shown))}. One marker a run, at its final weights; the bar is the mean.",
        data=[
            trace
            for place, (label, rows) in enumerate(shown)
            for trace in _strip(place, label, rows, drawn[arm_of(results, rows[0])])
        ],
        layout=layout,
        height=_MARGINS + _ROW_HEIGHT * len(labels),
    )


@dataclass(frozen=True)
class _Run:
    """One replicate's validation curve: epochs and accuracies in per cent, shape (T,), NaN where not recorded."""

    trial_id: str
    epoch: NDArray[np.float64]
    val_acc: NDArray[np.float64]


def _replicates(results: Results, curves: Iterable[Curve]) -> dict[str, list[_Run]]:
    """The replicates that did not fail, by the label of their cell."""
    trials = {row["trial_id"]: row for row in results["trials"]}
    runs: dict[str, list[_Run]] = {}
    for curve in curves:
        row = trials.get(curve["trial_id"])
        if curve["phase"] == "replicate" and row is not None and row["status"] != "failed":
            runs.setdefault(clean(curve["cell"]), []).append(_run(curve, row, results["study"]))
    return runs


def _run(curve: Curve, row: Row, study: Row) -> _Run:
    epoch = np.array(curve["epoch"], dtype=np.float64)
    val_acc = 100 * np.array([math.nan if value is None else value for value in curve["val_acc"]], dtype=np.float64)
    if row["diverged"]:
        val_acc[-1] = 100 / study["classes"]
        if epoch[-1] < study["horizon"]:
            epoch, val_acc = np.append(epoch, study["horizon"]), np.append(val_acc, val_acc[-1])
    return _Run(clean(curve["trial_id"]), epoch, val_acc)


def _cell_traces(arm: str, runs: Sequence[_Run], style: Style) -> tuple[Trace, Trace, Trace]:
    """Band, single runs and median of one cell, to be drawn in this order."""
    grid, values = _on_one_grid(runs)
    low, median, high = np.nanmin(values, axis=0), np.nanmedian(values, axis=0), np.nanmax(values, axis=0)
    common = {"type": "scatter", "legendgroup": _shown(arm), "name": _shown(arm)}
    quiet = {**common, "mode": "lines", "showlegend": False, "hoverinfo": "skip"}
    band = {
        **quiet,
        "x": _plain([*grid, *grid[::-1]]),
        "y": _plain([*high, *low[::-1]]),
        "fill": "toself",
        "fillcolor": style.faint(0.15),
        "line": {"width": 0},
    }
    single = {
        **quiet,
        "x": _plain(np.concatenate([[*run.epoch, math.nan] for run in runs])),
        "y": _plain(np.concatenate([[*run.val_acc, math.nan] for run in runs])),
        "line": {"width": 0.8, "color": style.faint(0.35)},
    }
    middle = {
        **common,
        "mode": "lines+markers",
        "x": _plain(grid),
        "y": _plain(median),
        "line": {"width": 2.5, "color": style.colour},
        "marker": {"symbol": style.marker, "size": 8, "color": style.colour},
        "hovertemplate": "median %{y:.1f} % at epoch %{x}<extra>%{fullData.name}</extra>",
    }
    return band, single, middle


def _on_one_grid(runs: Sequence[_Run]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Epochs that any run has, shape (T,), and each run's accuracies there, shape (runs, T), NaN beyond its ends."""
    grid = np.unique(np.concatenate([run.epoch[~np.isnan(run.val_acc)] for run in runs]))
    values = np.full((len(runs), len(grid)), math.nan)
    for line, run in zip(values, runs, strict=True):
        known = ~np.isnan(run.val_acc)
        line[:] = np.interp(grid, run.epoch[known], run.val_acc[known], math.nan, math.nan) if known.any() else math.nan
    return grid, values


def _strip(place: int, label: str, rows: Sequence[Row], style: Style) -> tuple[Trace, Trace]:
    values = [100 * row["test_acc"] for row in rows]
    mean = float(np.mean(values))
    offsets = np.linspace(-_JITTER, _JITTER, len(rows)) if len(rows) > 1 else [0.0]
    common = {"type": "scatter", "name": _shown(label)}
    points = {
        **common,
        "mode": "markers",
        "x": values,
        "y": [place + float(offset) for offset in offsets],
        "marker": {"symbol": style.marker, "size": 9, "color": style.faint(0.75)},
        "text": [_shown(f"trial {row['trial_id']}, seed {row['seed']}") for row in rows],
        "hovertemplate": "%{x:.2f} %<br>%{text}<extra>%{fullData.name}</extra>",
    }
    bar = {
        **common,
        "mode": "lines",
        "x": [mean, mean],
        "y": [place - 0.4, place + 0.4],
        "line": {"width": 3, "color": style.colour},
        "hovertemplate": "mean %{x:.2f} %<extra>%{fullData.name}</extra>",
    }
    return points, bar


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": x}, "zeroline": False, "automargin": True},
        "yaxis": {"title": {"text": y}, "zeroline": False, "automargin": True},
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hovermode": "closest",
    }


def _targets(results: Results, stratum: tuple[Any, ...]) -> list[tuple[str, float]]:
    row: Row = next((row for row in results["targets"] if stratum_of(results, row) == stratum), {})
    return [(name, row[key]) for name, key in (("high", "hi"), ("low", "lo")) if row.get(key) is not None]


def _target_line(accuracy: float) -> dict[str, Any]:
    y = 100 * accuracy
    line = {"dash": "dash", "width": 1.5, "color": "#888888"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _target_label(name: str, accuracy: float) -> dict[str, Any]:
    anchor = {"xref": "paper", "x": 1, "xanchor": "right", "yanchor": "bottom" if name == "high" else "top"}
    return {**anchor, "y": 100 * accuracy, "text": f"{name} target", "showarrow": False}


def _runs_text(shown: Iterable[tuple[str, Sequence[Any]]]) -> str:
    parts = [(name, len(some)) for name, some in shown]
    total = sum(number for _, number in parts)
    return f"{count(total, 'replicate')}: {', '.join(f'{number} {name}' for name, number in parts)}"


def _shown(text: str) -> str:
    """Foreign text as plotly shows it as it is, and not as the markup that it understands."""
    return html.escape(clean(text), quote=False)


def _plain(values: Iterable[float]) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]
