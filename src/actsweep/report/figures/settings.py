"""Which settings mattered in the tune phase: every trial as a line through its settings, and their importance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from actsweep.plural import count
from actsweep.report.figures.figure import MARGINS, Figure, View, layout, named, plain, runs_text, shown, spread
from actsweep.report.figures.runs import Material
from actsweep.report.figures.tuning import stopped_text, tuned
from actsweep.report.palette import Style
from actsweep.report.rows import Row, arm_of, nuisance_of
from actsweep.report.wording import clean, number, plain_number
from actsweep.study.space import text

PARALLEL = "Settings and accuracy of each tune trial"
IMPORTANCE = "Which settings mattered"
_MOST = 400  # lines in all
_MANY_AXES = 4  # whose titles stand askew, so that none hides another


@dataclass(frozen=True)
class _Axis:
    """One upright axis: its title, and where it is marked, each mark a height in [0, 1] and a text."""

    title: str
    marks: tuple[tuple[float, str], ...]
    heights: tuple[float, ...]


def parallel(material: Material) -> Figure:
    """Parallel coordinates, drawn as lines, one colour an arm."""
    trials = sorted(tuned(material), key=lambda row: (-row["best_val_acc"], str(row["trial_id"])))
    if not trials:
        return Figure(PARALLEL, (), "There were no tune trials.")
    arms = [arm_of(material.results, row) for row in trials]
    axes = _axes(material, trials, arms)
    data = []
    for arm, style in material.styles.items():
        mine = [index for index, name in enumerate(arms) if name == arm]
        some = [mine[index] for index in spread(len(mine), max(1, _MOST // len(material.styles)))]
        if some:
            data.append(_lines(arm, style, axes, some))
    drawn = f" Of them {_MOST} are drawn, evenly spread from the best to the worst." if len(trials) > _MOST else ""
    numbers = [(arm, arms.count(arm)) for arm in material.styles if arm in arms]
    caption = (
        f"{runs_text(numbers, 'tune trial')}. A line a trial, from its settings to its best validation accuracy."
        f"{stopped_text(trials)}{drawn}"
    )
    return Figure(PARALLEL, (View("", "", caption, data, _parallel_layout(axes)),))


def importance(material: Material) -> Figure:
    """A bar a setting: its share of what settings explain of the accuracy."""
    found: Mapping[str, Any] | None = material.results.get("importance")
    if "importance" not in material.results:
        return Figure(IMPORTANCE, (), "It is computed for sweeps of actsweep's own, whose settings are all known.")
    if found is None:
        why = "It needs eight tune trials that ran to their end, at settings that are known, and not all equally good."
        return Figure(IMPORTANCE, (), why)
    ranked = sorted(found["shares"].items(), key=lambda item: item[1])
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": plain([100 * share for _, share in ranked]),
        "y": [shown(name) for name, _ in ranked],
        "marker": {"color": "#7f8c99"},
        "hovertemplate": "%{y}: %{x:.0f} %<extra></extra>",
        "showlegend": False,
    }
    caption = (
        f"{count(found['trials'], 'tune trial')} that ran to the end. The share of each setting, alone and together "
        "with others, in what settings explain of the best validation accuracy (functional ANOVA, as Optuna computes "
        "it). It says what made trials differ within the ranges tried, not which value is best; of few trials it is a "
        "rough guide."
    )
    axes = layout("Importance (%)", "", xaxis={"range": [0, 100]}, yaxis={"type": "category"})
    return Figure(IMPORTANCE, (View("", "", caption, [bar], axes),), height=MARGINS + 40 * max(2, len(ranked)))


def _axes(material: Material, trials: Sequence[Row], arms: Sequence[str]) -> list[_Axis]:
    study = material.results["study"]
    axes = [_categories(clean(study["factor"]), arms)]
    for name in str(study["stratum"] or "").split(","):
        values = [row.get(name) for row in trials]
        if len(set(values)) > 1:
            axes.append(_categories(clean(name), [clean(text(value)) for value in values]))
    for name in dict.fromkeys(name for row in trials for name in nuisance_of(material.results, row)):
        values = [nuisance_of(material.results, row).get(name) for row in trials]
        if len(set(values)) > 1:
            axes.append(_axis(clean(name), values))
    return [*axes, _numbers("best val acc (%)", [100 * row["best_val_acc"] for row in trials])]


def _axis(title: str, values: Sequence[Any]) -> _Axis:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _numbers(title, values)
    return _categories(title, [clean(text(value)) for value in values])


def _categories(title: str, values: Sequence[str]) -> _Axis:
    names = list(dict.fromkeys(values))
    at = {name: (index + 0.5) / len(names) for index, name in enumerate(names)}
    return _Axis(title, tuple((at[name], name) for name in names), tuple(at[value] for value in values))


def _numbers(title: str, values: Sequence[float]) -> _Axis:
    """An axis from the smallest to the largest value, by their logarithms where they span more than a decade."""
    low, high = min(values), max(values)
    logs = low > 0 and high / low > 10
    scale = math.log10 if logs else float
    span = scale(high) - scale(low) or 1.0
    middle = 10 ** ((scale(low) + scale(high)) / 2) if logs else (low + high) / 2
    marks = ((0.0, plain_number(low)), (0.5, number(middle)), (1.0, plain_number(high)))
    name = f"{title}, log" if logs else title
    return _Axis(name, marks, tuple((scale(value) - scale(low)) / span for value in values))


def _lines(arm: str, style: Style, axes: Sequence[_Axis], trials: Sequence[int]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for trial in trials:
        x += [*map(float, range(len(axes))), None]
        y += [*plain(np.array([axis.heights[trial] for axis in axes])), None]
    return named(
        arm, mode="lines", x=x, y=y, line={"width": 1, "color": style.faint(0.5), "dash": style.dash}, hoverinfo="skip"
    )


def _parallel_layout(axes: Sequence[_Axis]) -> dict[str, Any]:
    line = {"width": 1, "color": "#888888"}
    marks = [
        {"x": place, "y": height, "text": shown(said), "showarrow": False, "xanchor": "left", "xshift": 4}
        for place, axis in enumerate(axes)
        for height, said in axis.marks
    ]
    ticks = {
        "tickvals": list(range(len(axes))),
        "ticktext": [shown(axis.title) for axis in axes],
        "range": [-0.1, len(axes) - 0.75],
        "tickangle": 0 if len(axes) < _MANY_AXES else -25,
        "showgrid": False,
    }
    return layout(
        "",
        "",
        xaxis=ticks,
        yaxis={"visible": False, "range": [-0.06, 1.06]},
        shapes=[{"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line} for x in range(len(axes))],
        annotations=marks,
    )
