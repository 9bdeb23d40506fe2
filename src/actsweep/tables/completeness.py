"""The refusals: what the trials of a study must keep to, so that comparing them is fair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actsweep.errors import RequestError, TableError
from actsweep.tables.layout import Layout, numbered
from actsweep.tables.schema import shown


def check_study(layout: Layout, horizon: float | None) -> None:
    """Check the trials of a study against each other.

    Raises:
        TableError: fewer than two arms, or trials that cannot be compared; the message names one of them.
        RequestError: no replicate was evaluated at the horizon that was asked for.
    """
    _check_arms(layout)
    _check_seeds(layout)
    _check_blocks(layout)
    _check_stopped(layout)
    _check_accuracy(layout)
    _check_start(layout)
    for group in (layout.evidence, layout.phase == "tune"):
        _check_gaps(layout, group & layout.sound)
    _check_ends(layout, horizon)


def _check_arms(layout: Layout) -> None:
    table = layout.table
    arms = [shown(table.labels[table.schema.factor].values[code]) for code in np.unique(layout.arm)]
    if len(arms) < 2:
        raise TableError(
            f"{table.name}: the column {shown(table.schema.factor)} needs at least two values to compare, "
            f"found only {arms[0]}"
        )
    if layout.failed.all():
        raise TableError(f"{table.name}: every trial failed, so there is nothing to analyse")


def _check_seeds(layout: Layout) -> None:
    """Two replicates alike are one run counted twice."""
    at = np.flatnonzero(layout.evidence)
    phase = np.unique(layout.phase[at], return_inverse=True)[1]
    key = numbered([phase, layout.cell[at], layout.block[at], layout.lr[at], layout.seed[at]])
    again = np.setdiff1d(np.arange(len(at)), np.unique(key, return_index=True)[1])
    if len(again):
        index = again[0]
        twin = at[np.flatnonzero(key == key[index])[0]]
        raise layout.table.refusal(
            layout.table.first[at[index]],
            "seed",
            f"{{}} is also that of trial {_name(layout, twin)}, in the same cell and block and at the same lr: "
            "replicates need seeds of their own",
        )


def _check_blocks(layout: Layout) -> None:
    if (layout.block[layout.evidence] >= 0).any():
        _refuse(layout, layout.evidence & (layout.block < 0), "block", "is empty, though other replicates have a block")


def _check_stopped(layout: Layout) -> None:
    stopped = layout.evidence & (layout.status == "stopped")
    _refuse(
        layout, stopped, "status", "a replicate was stopped early; only tune trials may be (phase tune)", at_end=True
    )


def _check_accuracy(layout: Layout) -> None:
    table = layout.table
    _refuse_empty(layout)
    missing = np.isnan(table.numbers["val_acc"]) & layout.kept & layout.sound[table.trial]
    table.refuse_first(missing, "val_acc", "is empty in a trial that did not diverge")


def _refuse_empty(layout: Layout) -> None:
    """Refuse trials that the horizon leaves nothing of."""
    message = "this trial has no evaluation up to --horizon; its first is at epoch {}"
    _refuse(layout, ~layout.failed & (layout.count == 0), "epoch", message)


def _check_start(layout: Layout) -> None:
    start = layout.table.numbers["epoch"][layout.table.first] == 0
    if start[layout.sound].any():
        message = "this trial has no evaluation at epoch 0 (its first is at {}), which other trials have"
        _refuse(layout, layout.sound & ~start, "epoch", message)


def _check_gaps(layout: Layout, group: NDArray[np.bool_]) -> None:
    """No trial of the group (n,) lacks an evaluation, up to its last, that another one has."""
    table = layout.table
    epoch = table.numbers["epoch"]
    grid = np.unique(epoch[layout.kept & group[table.trial]])
    expected = np.searchsorted(grid, epoch[layout.last], side="right")
    for trial in np.flatnonzero(group & (layout.count < expected))[:1]:
        own = epoch[table.first[trial] : layout.last[trial] + 1]
        missing = np.setdiff1d(grid[: expected[trial]], own)[0]
        after = table.first[trial] + np.searchsorted(own, missing)
        raise table.refusal(
            after, "epoch", f"this trial has no evaluation at epoch {missing:g}, which other trials have"
        )


def _check_ends(layout: Layout, horizon: float | None) -> None:
    """Every replicate that did not diverge has its last evaluation at the horizon."""
    group = layout.evidence & layout.sound
    if not group.any():
        return
    ends = layout.table.numbers["epoch"][layout.last]
    if horizon is None:
        longest, shortest = ends[group].max(), ends[group].min()
        message = (
            f"this replicate ends at epoch {{}}, others at {longest:g}: give --horizon, an epoch that all of them "
            f"reach, such as {shortest:g}"
        )
        _refuse(layout, group & (ends < longest), "epoch", message, at_end=True)
        return
    epochs = np.unique(layout.table.numbers["epoch"][group[layout.table.trial]])
    if horizon not in epochs:
        few = ", ".join(f"{epoch:g}" for epoch in epochs[-5:])
        raise RequestError(
            f"--horizon {horizon:g}: {layout.table.name} has no replicate that was evaluated at that epoch; "
            f"the last at which any was are {few}"
        )
    message = f"this replicate was not evaluated at --horizon {horizon:g}; its last evaluation up to there is at {{}}"
    _refuse(layout, group & (ends != horizon), "epoch", message, at_end=True)


def _refuse(layout: Layout, trials: NDArray[np.bool_], column: str, message: str, at_end: bool = False) -> None:
    """Refuse the first of `trials` (n,), naming its first row, or its last up to the horizon."""
    wrong = np.zeros(len(layout.table), dtype=np.bool_)
    wrong[(layout.last if at_end else layout.table.first)[trials]] = True
    layout.table.refuse_first(wrong, column, message)


def _name(layout: Layout, trial: int | np.intp) -> str:
    return shown(layout.table.labels["trial_id"].at(int(layout.table.first[trial])))
