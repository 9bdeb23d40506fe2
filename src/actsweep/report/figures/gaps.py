"""The overfitting gap: against epochs, and against the train loss, where arms are compared equally far along."""

import warnings
from typing import Any

import numpy as np

from actsweep.curves import FloatArray, gap_at_loss
from actsweep.report.figures.figure import Figure, Trace, View, band, layout, line_and_marker, named, plain
from actsweep.report.figures.over_epochs import EPOCH, LAYERS, layers_of, stacked
from actsweep.report.figures.runs import Material, Runs, healthy_text
from actsweep.report.rows import stratum_of

AGAINST_EPOCHS = "Overfitting gap while training"
AGAINST_LOSS = "Overfitting gap at equal train loss"
_GAP = "Train minus validation accuracy (pp)"
_LEVELS = 60  # train losses at which the gaps are compared


def against_epochs(material: Material) -> Figure:
    """A view a stratum."""
    views = [_over_epochs(where, cells) for _, where, cells in material.strata() if _with_gap(cells)]
    why = material.lacks_replicates or "The accuracy on the train probe was not recorded."
    return Figure(AGAINST_EPOCHS, tuple(views), "" if views else why)


def against_loss(material: Material) -> Figure:
    """A view a stratum."""
    views = [
        _over_loss(where, cells, _matched(material, stratum))
        for stratum, where, cells in material.strata()
        if _with_loss(cells)
    ]
    why = material.lacks_replicates or "Accuracy and loss on the train probe were not recorded."
    return Figure(AGAINST_LOSS, tuple(views), "" if views else why)


def _with_gap(cells: list[Runs]) -> list[Runs]:
    return [runs for runs in cells if np.isfinite(_gap(runs)).any()]


def _with_loss(cells: list[Runs]) -> list[Runs]:
    return [runs for runs in _with_gap(cells) if np.isfinite(runs.stack["train_loss"][~runs.diverged]).any()]


def _gap(runs: Runs) -> FloatArray:
    """Train minus validation accuracy in percentage points, shape (N, T), of the runs that did not diverge."""
    return 100 * (runs.stack["train_acc"] - runs.stack["val_acc"])[~runs.diverged]


def _over_epochs(where: str, cells: list[Runs]) -> View:
    shown = _with_gap(cells)
    layers = [layers_of(runs, runs.stack["epoch"][~runs.diverged], _gap(runs), "pp") for runs in shown]
    caption = f"{healthy_text(shown, cells)} {LAYERS}. Above 0 a run does better on what it was trained on."
    return View(where, "", caption, stacked(layers), layout(EPOCH, _GAP, shapes=[_zero()]))


def _over_loss(where: str, cells: list[Runs], matched: float | None) -> View:
    compared = (
        " Dashed: the train loss at which the verdicts compare the gaps (l*), the lowest that nine tenths of the "
        "healthy runs of each arm get to, stuck arms apart."
        if matched
        else ""
    )
    axis: dict[str, Any] = {"type": "log", "autorange": "reversed"}
    shown = _with_loss(cells)
    return View(
        where,
        "",
        f"{healthy_text(shown, cells)} Training goes from left to right: the train loss falls. Where two arms are at "
        f"the same train loss, a difference in the gap is no matter of one being further along. Line: median of the "
        f"runs that get there, while at least half do; band: lowest to highest of them.{compared}",
        stacked([_layers_over_loss(runs) for runs in shown]),
        layout("Train loss (nats, on the train probe)", _GAP, xaxis=axis, shapes=[_zero(), *_dashed(matched)]),
    )


def _layers_over_loss(runs: Runs) -> tuple[Trace, Trace]:
    losses, gaps = gaps_at_losses(runs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a loss that no run gets to
        low, middle, high = np.nanmin(gaps, axis=0), np.nanmedian(gaps, axis=0), np.nanmax(gaps, axis=0)
    often = np.isfinite(gaps).sum(axis=0) >= len(gaps) / 2
    losses, low, middle, high = losses[often], low[often], middle[often], high[often]
    median = named(
        runs.arm,
        **line_and_marker(runs.style),
        x=plain(losses),
        y=plain(middle),
        hovertemplate="median %{y:.2f} pp at train loss %{x:.3g}<extra>%{fullData.name}</extra>",
    )
    median["marker"] |= {"maxdisplayed": 12}
    return band(runs.arm, runs.style, losses, low, high), median


def gaps_at_losses(runs: Runs) -> tuple[FloatArray, FloatArray]:
    """Train losses on a logarithmic scale, shape (L,), and each run's gap there in percentage points, shape (N, L)."""
    seen = runs.stack["train_loss"][~runs.diverged]
    seen = seen[np.isfinite(seen) & (seen > 0)]
    losses = np.geomspace(seen.max(), seen.min(), _LEVELS)
    gaps = np.stack([gap_at_loss(runs.stack, np.full(len(runs), loss)) for loss in losses], axis=1)
    return losses, 100 * gaps[~runs.diverged]


def _matched(material: Material, stratum: tuple[Any, ...]) -> float | None:
    rows = material.results["targets"]
    return next((row.get("loss_match") for row in rows if stratum_of(material.results, row) == stratum), None)


def _zero() -> dict[str, Any]:
    line = {"width": 1, "color": "#888888"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": line}


def _dashed(loss: float | None) -> list[dict[str, Any]]:
    if not loss or loss <= 0:
        return []
    line = {"dash": "dash", "width": 1.5, "color": "#888888"}
    return [{"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": loss, "x1": loss, "line": line}]
