"""Time to a target accuracy: the share of runs that have reached it, by Kaplan and Meier."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.stats import CensoredData, ecdf

from actsweep.curves import TIME_UNITS, FloatArray
from actsweep.plural import count
from actsweep.report.figures.figure import Figure, Trace, View, layout, named, plain, runs_text, stroke
from actsweep.report.figures.runs import Material, Runs
from actsweep.report.figures.validation import targets_of
from actsweep.report.wording import percent

TITLE = "Time to the target accuracy"
_AXES = {"epochs": "Epochs", "steps": "Training steps", "seconds": "Training time (s)"}
_KEYS = {"high": "hi", "low": "lo"}


def times(material: Material) -> Figure:
    """A view a stratum, target and unit of time; what no trial has recorded is left out."""
    views = [
        view
        for stratum, where, cells in material.strata()
        for name, accuracy in targets_of(material, stratum)
        for view in _views(where, name, accuracy, cells)
    ]
    units = {view.form.partition(", ")[2] for view in views}
    lacking = [unit for unit in TIME_UNITS if unit not in units]
    if not views:
        return Figure(TITLE, (), "There is no target: too few replicates have been trained to derive one.")
    missing = f"Not recorded: {' and '.join(lacking)}." if lacking else ""
    return Figure(TITLE, tuple(views), missing)


def _views(where: str, target: str, accuracy: float, cells: list[Runs]) -> Iterator[View]:
    for unit, axis in _AXES.items():
        timed = [(runs, *_times(runs, unit, _KEYS[target])) for runs in cells]
        timed = [(runs, time, reached) for runs, time, reached in timed if np.isfinite(time).any()]
        if not timed:
            continue
        yield View(
            where,
            f"{target} target, {unit}",
            f"{runs_text((runs.arm, len(time)) for runs, time, _ in timed)}. Share of runs whose validation accuracy "
            f"has reached {percent(accuracy)}, confirmed by the next evaluation (Kaplan-Meier); a marker is one or "
            f"more runs that never did (censored: {_censored_text(timed)}), at the time up to which they were watched. "
            "A picture only: the verdicts use restricted means, since who is censored here is no chance.",
            [trace for runs, time, reached in timed for trace in _steps(runs, time, reached)],
            layout(axis, "Runs that have reached it (%)", yaxis={"range": [-3, 103]}, xaxis={"rangemode": "tozero"}),
        )


def _censored_text(timed: Sequence[tuple[Runs, FloatArray, FloatArray]]) -> str:
    return ", ".join(f"{int((reached == 0).sum())} {runs.arm}" for runs, _, reached in timed)


def _times(runs: Runs, unit: str, key: str) -> tuple[FloatArray, FloatArray]:
    """Times and whether the target was reached, of the runs that have both."""
    time = np.array([_number(row.get(f"{unit}_to_target_{key}")) for row in runs.rows])
    reached = np.array([_number(row.get(f"reached_{key}")) for row in runs.rows])
    known = np.isfinite(time) & np.isfinite(reached)
    return time[known], reached[known]


def _steps(runs: Runs, time: FloatArray, reached: FloatArray) -> tuple[Trace, Trace]:
    x, share = reached_share(time, reached == 1)
    x, share = np.append(x, time.max()), np.append(share, share[-1])  # as long as a run of the arm was watched
    line = named(
        runs.arm,
        mode="lines",
        x=plain(x),
        y=plain(100 * share),
        line={**stroke(runs.style), "shape": "hv"},
        hovertemplate="%{y:.0f} % by %{x:.4g}<extra>%{fullData.name}</extra>",
    )
    censored, number_of = np.unique(time[reached == 0], return_counts=True)
    at = share[np.searchsorted(x, censored, side="right") - 1]
    marks = named(
        runs.arm,
        mode="markers",
        showlegend=False,
        x=plain(censored),
        y=plain(100 * at),
        marker={"symbol": f"{runs.style.marker}-open", "size": 10, "color": runs.style.colour, "line": {"width": 2}},
        text=[count(runs_there, "run") for runs_there in number_of.tolist()],
        hovertemplate="%{text} had not reached it by %{x:.4g}<extra>%{fullData.name}</extra>",
    )
    return line, marks


def reached_share(time: FloatArray, reached: Sequence[bool] | Any) -> tuple[FloatArray, FloatArray]:
    """Kaplan and Meier's estimate of the share that has reached a target by a time.

    Args:
        time: when each run reached it or, censored, until when it was watched, shape (N,).
        reached: whether it did, shape (N,).

    Returns:
        times from 0 on, shape (M,), and the share from each of them on, a fraction.

    Source: Kaplan and Meier, Nonparametric estimation from incomplete observations (1958).
    """
    data = CensoredData.right_censored(time, ~np.asarray(reached))
    estimate = ecdf(data).cdf
    return np.concatenate([[0.0], estimate.quantiles]), np.concatenate([[0.0], estimate.probabilities])


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
