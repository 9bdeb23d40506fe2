"""The trials of a table as a study: cells, phases, and how far each trial got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actsweep.curves import diverged_above
from actsweep.tables.table import Codes, Table


@dataclass(frozen=True, eq=False)
class Layout:
    """The n trials of a sorted table of N rows.

    Each array has shape (n,) unless said otherwise: `arm`, `cell`, `block`, `lr` and `seed` hold codes, -1 where
    nothing is recorded; `phase` is tune, replicate or cross; `status` is empty where none is recorded, or where the
    horizon cuts the last row off; `kept` (N,) marks the rows up to the horizon, `count` says how many a trial has.
    """

    table: Table
    arm: Codes
    cell: Codes
    block: Codes
    lr: Codes
    seed: Codes
    phase: NDArray[np.str_]
    status: NDArray[np.str_]
    failed: NDArray[np.bool_]
    diverged: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    count: Codes

    @property
    def sound(self) -> NDArray[np.bool_]:
        """Trials that neither failed nor diverged, shape (n,): their curves must be complete."""
        return ~self.failed & ~self.diverged

    @property
    def evidence(self) -> NDArray[np.bool_]:
        """Trials that estimates rest on, shape (n,): all but those of the tune phase and the failed ones."""
        evidence: NDArray[np.bool_] = (self.phase != "tune") & ~self.failed
        return evidence

    @property
    def last(self) -> Codes:
        """Index of each trial's last row up to the horizon, shape (n,); meaningless where `count` is 0."""
        return self.table.first + self.count - 1


def lay_out(table: Table, horizon: float | None, classes: int) -> Layout:
    """Lay a sorted table out as a study.

    Args:
        table: the table.
        horizon: the epoch after which rows do not count; None for all.
        classes: number of classes, which sets the train loss from which a trial counts as diverged.

    Raises:
        TableError: some trials have a phase and others do not.
    """
    cell = numbered([table.label_of_trials(name) for name in (table.schema.factor, *table.schema.stratum)])
    block, lr = table.label_of_trials("block"), table.label_of_trials("lr")
    status = final_status(table)
    failed = status == "failed"
    kept = np.ones(len(table), dtype=np.bool_) if horizon is None else table.numbers["epoch"] <= horizon
    count = np.add.reduceat(kept.astype(np.int64), table.first)
    status[count < table.last - table.first + 1] = ""
    return Layout(
        table=table,
        arm=table.label_of_trials(table.schema.factor),
        cell=cell,
        block=block,
        lr=lr,
        seed=table.label_of_trials("seed"),
        phase=_phases(table, numbered([cell, block]), lr),
        status=status,
        failed=failed,
        diverged=~failed & (np.logical_or.reduceat(_bad(table, classes) & kept, table.first) | (status == "diverged")),
        kept=kept,
        count=count,
    )


def has_phase(table: Table) -> bool:
    """Whether the table says which trials tuned and which are replicates."""
    return "phase" in table.labels and bool((table.labels["phase"].codes >= 0).any())


def numbered(columns: Sequence[Codes]) -> Codes:
    """Each combination of codes as one code, shape (n,); `columns` have shape (n,)."""
    codes: Codes = np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1)
    return codes


def final_status(table: Table) -> NDArray[np.str_]:
    """The status on each trial's last row, empty where none is recorded."""
    if "status" not in table.labels:
        return np.full(len(table.first), "", dtype="U9")
    labels = table.labels["status"]
    return np.array([*labels.values, ""], dtype="U9")[labels.codes[table.last]]


def _phases(table: Table, group: Codes, lr: Codes) -> NDArray[np.str_]:
    """The phases; where none is recorded all are replicates, or tune trials if a block of a cell has several lr."""
    if has_phase(table):
        codes = table.label_of_trials("phase")
        unknown = np.zeros(len(table), dtype=np.bool_)
        unknown[table.first] = codes < 0
        table.refuse_first(unknown, "phase", "is empty, though other trials have a phase")
        return np.array(table.labels["phase"].values)[codes]
    pairs = np.unique(np.stack([group, lr])[:, lr >= 0], axis=1)[0]
    several = len(np.unique(pairs)) < len(pairs)
    return np.full(len(lr), "tune" if several else "replicate")


def _bad(table: Table, classes: int) -> NDArray[np.bool_]:
    """Rows after epoch 0 with a loss that is not finite, or a train loss of over 2 ln(classes), shape (N,)."""
    bad = np.zeros(len(table), dtype=np.bool_)
    for name in ("train_loss", "val_loss"):
        if name in table.numbers:
            bad |= np.isinf(table.numbers[name])
    if "train_loss" in table.numbers:
        bad |= table.numbers["train_loss"] > diverged_above(classes)
    return bad & (table.numbers["epoch"] > 0)
