"""Where rows come from: CSV and Parquet files, and pandas data frames, all as Arrow arrays in batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actsweep.errors import TableError
from actsweep.report.wording import clean
from actsweep.tables.cells import is_text
from actsweep.tables.schema import shown

if TYPE_CHECKING:
    import pandas as pd

LARGEST_FILE = 4 * 2**30  # bytes
MOST_ROWS = 200_000_000  # a Parquet file of few bytes can hold any number of equal rows
_CSV_BLOCK = 4 * 2**20  # bytes; no row can be longer
_BATCH_ROWS = 2**17
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")

Batch = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Source:
    """A table that is yet to be read.

    Attributes:
        name: what it is called in messages.
        columns: its column names.
        read: given the columns that are wanted, yields batches of rows, each a list of column name and Arrow array. A
            batch has all wanted columns, and whichever others must be looked at.
        rows: each row's 1-based number for messages, where that is not its place.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Collection[str]], Iterator[Batch]]
    rows: Sequence[int] | None = None


def open_file(path: Path) -> Source:
    """A CSV or Parquet file, told apart by its first bytes.

    Raises:
        TableError: there is no such file, it is empty, larger than 4 GiB, or neither CSV nor Parquet.
    """
    check_file(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if not magic:
        raise TableError(f"{clean(path)}: is empty")
    if magic == b"PAR1":
        return _parquet(path)
    if path.suffix == ".parquet":
        raise TableError(f"{clean(path)}: is no Parquet file")
    if magic[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TableError(f"{clean(path)}: is text in UTF-16; save it as UTF-8")
    return _csv(path)


def check_file(path: Path) -> None:
    """Refuse what cannot be read as a file.

    Raises:
        TableError: there is no such file, or it is larger than 4 GiB.
    """
    try:
        if not path.exists():
            raise TableError(f"{clean(path)}: there is no such file")
        if not path.is_file():
            raise TableError(f"{clean(path)}: is no file (a folder is read with --from tensorboard, ray or wandb-csv)")
        size = path.stat().st_size
        path.open("rb").close()
    except OSError as error:
        raise TableError(f"{clean(path)}: cannot be read: {error.strerror}") from error
    if size > LARGEST_FILE:
        raise TableError(f"{clean(path)}: is larger than 4 GiB ({size / 2**30:.1f} GiB); split it by study")


def open_frame(frame: pd.DataFrame, name: str) -> Source:
    """A data frame; as where pandas writes one to a file, NaN is an empty cell."""
    import pyarrow as pa

    columns = tuple(str(column) for column in frame.columns)

    def read(wanted: Collection[str]) -> Iterator[Batch]:
        batch = []
        for place, column in enumerate(columns):
            if column in wanted:
                try:
                    values = pa.array(frame.iloc[:, place], from_pandas=True)
                except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                    raise TableError(f"{name}: column {shown(column)} mixes types: {shown(error)}") from error
                batch.append((column, values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values))
        yield batch

    return Source(name, columns, read)


def open_texts(name: str, columns: Mapping[str, Sequence[str | None]], rows: Sequence[int]) -> Source:
    """Columns of texts, as in a CSV file, None for an empty cell; `rows` are their numbers for messages."""
    import pyarrow as pa

    def read(wanted: Collection[str]) -> Iterator[Batch]:
        yield [(column, pa.array(values, pa.string())) for column, values in columns.items() if column in wanted]

    return Source(name, tuple(columns), read, rows)


def _csv(path: Path) -> Source:
    with _translated(path, "CSV"):
        columns = tuple(name.strip() for name in _csv_reader(path).schema.names)

    def read(wanted: Collection[str]) -> Iterator[Batch]:
        with _translated(path, "CSV"):
            for batch in _csv_reader(path):
                yield list(zip(columns, batch.columns, strict=True))

    return Source(clean(path), columns, read)


def _csv_reader(path: Path) -> Any:
    """A reader of a CSV file's batches; without threads, so that its errors say in which row they are."""
    import pyarrow as pa
    from pyarrow import csv

    return csv.open_csv(
        pa.OSFile(str(path)),
        read_options=csv.ReadOptions(use_threads=False, block_size=_CSV_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(default_column_type=pa.binary()),
    )


def _parquet(path: Path) -> Source:
    import pyarrow.parquet as pq

    with _translated(path, "Parquet"):
        file = pq.ParquetFile(path)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    if rows > MOST_ROWS:
        raise TableError(f"{clean(path)}: has {rows} rows; at most {MOST_ROWS} are read")
    texts = {field.name for field in schema if is_text(getattr(field.type, "value_type", field.type))}

    def read(wanted: Collection[str]) -> Iterator[Batch]:
        columns = [name for name in schema.names if name in wanted or name in texts]
        with _translated(path, "Parquet"):
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False):
                yield [(name, _plain(values)) for name, values in zip(batch.schema.names, batch.columns, strict=True)]

    return Source(clean(path), tuple(schema.names), read)


def _plain(values: Any) -> Any:
    """An array without a dictionary."""
    import pyarrow as pa

    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


@contextmanager
def _translated(path: Path, kind: str) -> Iterator[None]:
    """Arrow's errors about a file in our own words."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        message = str(error)
        if ragged := _RAGGED.search(message):
            row, expected, found = ragged.groups()
            raise TableError(f"{clean(path)}: row {int(row) - 1} has {found} cells, the header {expected}") from error
        if "straddling" in message:
            message = "a row is longer than 4 MiB, or a quotation mark is never closed"
        raise TableError(f"{clean(path)}: cannot be read as {kind}: {shown(message)}") from error
