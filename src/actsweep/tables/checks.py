"""The refusals: what a row of a curve table, and the rows of one trial, must keep to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actsweep.study import PHASES
from actsweep.tables.schema import ACCURACIES, CUMULATIVE, SHARES, STATUSES
from actsweep.tables.table import Table

_MOST = 1e15  # steps, seconds or epochs; beyond, sums lose whole units


def check_rows(table: Table) -> None:
    """Check every row by itself; the rows may be in any order.

    Raises:
        TableError: the first wrong row, column by column.
    """
    for column in ("trial_id", table.schema.factor, "seed"):
        table.refuse_first(table.labels[column].codes < 0, column, "is empty, but required")
    epoch = table.numbers["epoch"]
    table.refuse_first(np.isnan(epoch), "epoch", "is empty, but required")
    table.refuse_first(
        (epoch < 0) | (epoch != np.floor(epoch)) | (epoch > _MOST), "epoch", "must be a whole number from 0 on, not {}"
    )
    for column in (*ACCURACIES, *SHARES):
        if column in table.numbers:
            values = table.numbers[column]
            table.refuse_first((values < 0) | (values > 1), column, "must be a fraction from 0 to 1, not {}")
    for column in (*CUMULATIVE, "step_ms"):
        if column in table.numbers:
            values = table.numbers[column]
            table.refuse_first((values < 0) | (values > _MOST), column, "must be a number from 0 on, not {}")
    for column, known in (("phase", PHASES), ("status", STATUSES)):
        if column in table.labels:
            labels = table.labels[column]
            unknown = np.array([*(value not in known for value in labels.values), False])
            table.refuse_first(unknown[labels.codes], column, f"must be one of {', '.join(known)}, not {{}}")


def check_trials(table: Table) -> None:
    """Check the rows of each trial against each other; the table is sorted.

    Raises:
        TableError: the first wrong row, rule by rule.
    """
    epoch = table.numbers["epoch"]
    within = table.trial[1:] == table.trial[:-1]
    _refuse_later(table, within & (epoch[1:] == epoch[:-1]), "epoch", "epoch {} occurs twice in this trial")
    for column in dict.fromkeys((table.schema.factor, *table.schema.stratum, "depth", "lr", "seed", "block", "phase")):
        if column in table.labels:
            _check_constant(table, column)
    for column in CUMULATIVE:
        if column in table.numbers:
            _check_cumulative(table, column)


def _refuse_later(table: Table, wrong: NDArray[np.bool_], column: str, message: str) -> None:
    """Refuse the later row, in the file, of a pair of rows next to each other; `wrong` has shape (N - 1,)."""
    at = np.flatnonzero(wrong)
    if len(at):
        later = np.where(table.row[at + 1] > table.row[at], at + 1, at)
        raise table.refusal(later[np.argmin(table.row[later])], column, message)


def _check_constant(table: Table, column: str) -> None:
    """A trial has one value in this column; empty cells beside it do not count."""
    codes = table.labels[column].codes
    known = codes >= 0
    lowest = np.minimum.reduceat(np.where(known, codes, np.iinfo(np.int64).max), table.first)
    if not ((table.label_of_trials(column) > lowest)[table.trial] & known).any():
        return
    in_file = np.argsort(table.row, kind="stable")
    in_file = in_file[known[in_file]]
    trials, at = np.unique(table.trial[in_file], return_index=True)
    given = np.full(len(table.first), -1)
    given[trials] = codes[in_file[at]]
    table.refuse_first(known & (codes != given[table.trial]), column, "changes within the trial, here to {}")


def _check_cumulative(table: Table, column: str) -> None:
    """A column never falls from one evaluation at which it is recorded to the next."""
    at = np.flatnonzero(~np.isnan(table.numbers[column]))
    values, trial = table.numbers[column][at], table.trial[at]
    falls = np.flatnonzero((trial[1:] == trial[:-1]) & (values[1:] < values[:-1])) + 1
    wrong = np.zeros(len(table), dtype=np.bool_)
    wrong[at[falls]] = True
    table.refuse_first(wrong, column, "is lower than at an earlier epoch of the trial: {}")
