"""A table of curves in memory: checked columns, sorted by trial and epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actsweep.compare.trials.inputs import StratumValue
from actsweep.curves import FloatArray
from actsweep.errors import TableError
from actsweep.tables.schema import Schema, shown

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of few distinct values: `codes` (N,) index into `values`, -1 where nothing is recorded."""

    codes: Codes
    values: tuple[StratumValue, ...]

    def __getitem__(self, keep: NDArray[np.int64]) -> Labels:
        """The rows of those indices."""
        return Labels(self.codes[keep], self.values)

    def at(self, index: int) -> StratumValue:
        """The value in row `index`, None where nothing is recorded."""
        code = int(self.codes[index])
        return None if code < 0 else self.values[code]


@dataclass(frozen=True, eq=False)
class Table:
    """N rows, one a trial and evaluation.

    `numbers[name]` has shape (N,), NaN where nothing is recorded and, in a loss, inf for any loss that was not finite;
    `labels` holds the other columns. Columns that the file lacks are absent. `row` (N,) is each row's 1-based place in
    the file, `name` what the file is called in messages.
    """

    name: str
    schema: Schema
    numbers: Mapping[str, FloatArray]
    labels: Mapping[str, Labels]
    row: Codes

    def __len__(self) -> int:
        return len(self.row)

    def sorted(self) -> Table:
        """The rows by trial, in the order in which the trials first appear, and by epoch."""
        order = np.lexsort((self.numbers["epoch"], self.labels["trial_id"].codes))
        return Table(
            self.name,
            self.schema,
            {name: values[order] for name, values in self.numbers.items()},
            {name: labels[order] for name, labels in self.labels.items()},
            self.row[order],
        )

    @cached_property
    def first(self) -> NDArray[np.intp]:
        """Index of each trial's first row, shape (trials,); only of a sorted table."""
        codes = self.labels["trial_id"].codes
        return np.flatnonzero(np.diff(codes, prepend=-1))

    @cached_property
    def last(self) -> NDArray[np.intp]:
        """Index of each trial's last row, shape (trials,); only of a sorted table."""
        return np.append(self.first[1:], len(self)) - 1

    @cached_property
    def trial(self) -> NDArray[np.intp]:
        """Number of each row's trial, shape (N,); only of a sorted table."""
        return np.repeat(np.arange(len(self.first)), self.last - self.first + 1)

    def label_of_trials(self, name: str) -> Codes:
        """Each trial's code in a column whose value does not change within a trial, shape (trials,)."""
        if name not in self.labels:
            return np.full(len(self.first), -1)
        codes: Codes = np.maximum.reduceat(self.labels[name].codes, self.first)
        return codes

    def refusal(self, index: int | np.intp, column: str, message: str) -> TableError:
        """The error that names row `index`, a column and the trial; `{}` in the message is what the cell holds."""
        index = int(index)
        trial = self.labels["trial_id"].at(index) if "trial_id" in self.labels else None
        if column in self.numbers:
            message = message.replace("{}", shown(self.numbers[column][index]))
        elif column in self.labels:
            message = message.replace("{}", shown(self.labels[column].at(index)))
        theirs = self.schema.mapping.get(column, column)
        return refusal(self.name, int(self.row[index]), theirs, trial, message)

    def refuse_first(self, wrong: NDArray[np.bool_], column: str, message: str) -> None:
        """Refuse the table where `wrong` (N,) is True anywhere, naming the row of these that the file has first.

        Raises:
            TableError: the error that `refusal` makes.
        """
        at = np.flatnonzero(wrong)
        if len(at):
            raise self.refusal(at[np.argmin(self.row[at])], column, message)


def refusal(name: str, row: int, column: str, trial: object, message: str) -> TableError:
    """The error about a cell of the table `name`: its 1-based data row, its column in the file, its trial if known."""
    whose = "" if trial is None else f", trial {shown(trial)}"
    return TableError(f"{name}: row {row}, column {shown(column)}{whose}: {message}")
