"""Files and data frames to checked tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from actsweep.errors import TableError
from actsweep.tables.cells import CellError, check_lengths, encoded, labels, numbers, text_at
from actsweep.tables.checks import check_rows, check_trials
from actsweep.tables.schema import DEFAULT_FACTOR, DEFAULT_STRATUM, LOSSES, NUMBERS, Schema, shown
from actsweep.tables.sources import Source, open_file, open_frame
from actsweep.tables.table import Table, refusal

if TYPE_CHECKING:
    import pandas as pd


def read_table(
    path: str | Path,
    *,
    factor: str = DEFAULT_FACTOR,
    stratum: tuple[str, ...] = DEFAULT_STRATUM,
    mapping: Mapping[str, str] | None = None,
) -> Table:
    """Read a CSV or Parquet file of curves, one row a trial and evaluation, and check every row and trial.

    Args:
        path: the file; at most 4 GiB.
        factor: the column whose values are compared.
        stratum: the columns whose values divide the study; depth may be absent.
        mapping: the file's name of a column by our name, where they differ.

    Raises:
        TableError: the file cannot be read, a required column is missing, or a row breaks a rule of curve tables; the
            message names the 1-based data row, the column and the trial.
        RequestError: the options name columns that the file does not have.
    """
    return table_of(open_file(Path(path)), Schema(factor, stratum, mapping or {}))


def read_frame(
    frame: pd.DataFrame,
    *,
    name: str = "the data frame",
    factor: str = DEFAULT_FACTOR,
    stratum: tuple[str, ...] = DEFAULT_STRATUM,
    mapping: Mapping[str, str] | None = None,
) -> Table:
    """Check a data frame of curves, as `read_table` does a file; NaN is an empty cell, inf a loss that was not finite.

    Raises:
        TableError: as `read_table`.
        RequestError: as `read_table`.
    """
    return table_of(open_frame(frame, name), Schema(factor, stratum, mapping or {}))


def table_of(source: Source, schema: Schema) -> Table:
    """Read and check a source.

    Raises:
        TableError: as `read_table`.
        RequestError: as `read_table`.
    """
    found = schema.find(source.columns, source.name)
    for theirs in found.values():
        if source.columns.count(theirs) > 1:
            raise TableError(f"{source.name}: the column {shown(theirs)} occurs {source.columns.count(theirs)} times")
    table = _collected(source, schema, found)
    check_rows(table)
    table = table.sorted()
    check_trials(table)
    return table


def _collected(source: Source, schema: Schema, found: Mapping[str, str]) -> Table:
    """All batches as one table, each cell of its column's kind, but not yet checked."""
    parts: dict[str, list[Any]] = {ours: [] for ours in found}
    size = 0
    for batch in source.read(set(found.values())):
        place = _Place(source, dict(batch)[found["trial_id"]], size)
        for column, values in batch:
            with place.named(column):
                check_lengths(values)
        for ours, theirs in found.items():
            with place.named(theirs):
                values = dict(batch)[theirs]
                parts[ours].append(numbers(values, ours in LOSSES) if ours in NUMBERS else encoded(values))
        size += len(batch[0][1])
    if size == 0:
        raise TableError(f"{source.name}: has a header, but no rows")
    row = np.arange(1, size + 1) if source.rows is None else np.array(source.rows, dtype=np.int64)
    columns = {ours: np.concatenate(chunks) for ours, chunks in parts.items() if ours in NUMBERS}
    if found["epoch"] != schema.mapping.get("epoch", "epoch"):
        columns["epoch"] += 1
    table = Table(source.name, schema, columns, {}, row)
    for ours in found:
        if ours not in NUMBERS:
            try:
                read = labels(parts[ours], schema.labels[ours])
            except CellError as error:
                raise table.refusal(error.index, ours, str(error)) from None
            table = replace(table, labels={**table.labels, ours: read})
    return table


@dataclass(frozen=True)
class _Place:
    """Where a batch stands: its source, the trial of each of its rows, and how many rows come before it."""

    source: Source
    trials: Any
    before: int

    @contextmanager
    def named(self, column: str) -> Iterator[None]:
        """Name the row, the column and the trial of a cell that is refused."""
        try:
            yield
        except CellError as error:
            index = self.before + error.index
            row = index + 1 if self.source.rows is None else self.source.rows[index]
            raise refusal(self.source.name, row, column, text_at(self.trials, error.index), str(error)) from None
