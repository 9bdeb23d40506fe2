"""A table of curves in memory: checked columns, sorted by trial and epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actsweep.compare.inputs import StratumValue
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

    def code(self, value: StratumValue) -> int:
        """The code of a value; -2, which no row has, where the column does not hold it."""
        return self.values.index(value) if value in self.values else -2


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
        """The error that names row `index` of this table, a column and the trial."""
        trial = self.labels["trial_id"].at(int(index)) if "trial_id" in self.labels else None
        whose = "" if trial is None else f", trial {shown(trial)}"
        return TableError(f"{self.name}: row {self.row[index]}, column {shown(column)}{whose}: {message}")

    def first_refusal(self, wrong: NDArray[np.bool_], column: str, message: str) -> None:
        """Refuse the table where any row is wrong, naming the one that comes first in the file.

        Raises:
            TableError: `wrong` (N,) is True somewhere; `{}` in the message stands for the value in `column`.
        """
        at = np.flatnonzero(wrong)
        if len(at):
            index = at[np.argmin(self.row[at])]
            value = self.numbers[column][index] if column in self.numbers else self.labels[column].at(int(index))
            raise self.refusal(index, column, message.format(shown("nothing" if value is None else value)))
