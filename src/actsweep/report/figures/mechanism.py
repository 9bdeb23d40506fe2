"""What happens inside the networks: gradients by layer, saturated and dead units."""

from collections.abc import Iterator, Sequence

import numpy as np

from actsweep.curves import FloatArray
from actsweep.report.figures.figure import Figure, Trace, View, band, layout, line_and_marker, named, plain
from actsweep.report.figures.over_epochs import EPOCH, LAYERS, layers_of, stacked
from actsweep.report.figures.runs import Material, Runs, healthy_text

GRADIENTS = "Gradients by layer"
UNITS = "Saturated and dead units"
_MOMENTS = (("before training", 0), ("at the last evaluation", -1))
_SHARES = {
    "saturated": "A unit is saturated where |f'| is at most a tenth of its largest value; recorded for activations "
    "that are bounded on both sides",
    "dead": "A unit is dead where it activates at no position of any image; recorded for rectifiers",
}


def gradients(material: Material) -> Figure:
    """Norm of the gradient at each hidden layer, a view a stratum and moment."""
    views = [
        view
        for _, where, cells in material.strata()
        for moment in _MOMENTS
        for view in _by_layer(where, *moment, cells)
    ]
    why = material.lacks_replicates or "Gradients by layer (grad_norm_1, ...) were not recorded."
    return Figure(GRADIENTS, tuple(views), "" if views else why)


def units(material: Material) -> Figure:
    """Shares of units over epochs, a view a stratum and kind."""
    views = [view for _, where, cells in material.strata() for name in _SHARES for view in _share(where, name, cells)]
    lacking = [name for name in _SHARES if name not in {view.form for view in views}]
    if not views:
        nothing = "Neither saturated nor dead units were recorded: no activation is of a kind that has them."
        return Figure(UNITS, (), material.lacks_replicates or nothing)
    return Figure(UNITS, tuple(views), f"No {lacking[0]} units were recorded." if lacking else "")


def _by_layer(where: str, moment: str, index: int, cells: Sequence[Runs]) -> Iterator[View]:
    found = [(runs, norms) for runs in cells if (norms := _norms(runs, index)).size]
    if not found:
        return
    layers = [_layers(runs, norms) for runs, norms in found]
    caption = (
        f"{healthy_text([runs for runs, _ in found], cells)} Norm of the loss's gradient with respect to "
        f"each hidden layer's pre-activations on one fixed batch, {moment}; line: median, band: lowest to highest. A "
        "line that falls towards the left is a gradient that vanishes on its way to the input."
    )
    depth = max(norms.shape[1] for _, norms in found)
    axes = layout(
        "Hidden layer, from the input to the output",
        "Gradient norm (log scale)",
        xaxis={"tickvals": list(range(1, depth + 1))},
        yaxis={"type": "log", "dtick": "D2", "exponentformat": "power"},
    )
    yield View(where, moment, caption, stacked(layers), axes)


def _norms(runs: Runs, index: int) -> FloatArray:
    """Gradient norms at one evaluation, shape (N, layers), of the runs that did not diverge and have positive ones."""
    rows = [
        curve.grad_norms[index]
        for curve, diverged in zip(runs.curves, runs.diverged, strict=True)
        if curve.grad_norms is not None and not diverged and (index != 0 or curve.epoch[0] == 0)
    ]
    most = max(map(len, rows), default=0)
    norms = np.array([row for row in rows if len(row) == most] or np.empty((0, 0)))
    return norms[(norms > 0).all(axis=1)] if norms.size else norms


def _layers(runs: Runs, norms: FloatArray) -> tuple[Trace, Trace]:
    place = np.arange(1, norms.shape[1] + 1)
    median = named(
        runs.arm,
        **line_and_marker(runs.style),
        x=plain(place),
        y=plain(np.median(norms, axis=0)),
        hovertemplate="median %{y:.3g} at layer %{x}<extra>%{fullData.name}</extra>",
    )
    return band(runs.arm, runs.style, place, norms.min(axis=0), norms.max(axis=0)), median


def _share(where: str, name: str, cells: Sequence[Runs]) -> Iterator[View]:
    found = [runs for runs in cells if np.isfinite(runs.stack[name][~runs.diverged]).any()]
    if not found:
        return
    layers = [layers_of(runs, *runs.series(100 * runs.stack[name]), "%") for runs in found]
    caption = f"{healthy_text(found, cells)} {_SHARES[name]}. {LAYERS}."
    yield View(where, name, caption, stacked(layers), layout(EPOCH, f"Units that are {name} (%)"))
