"""Whatever a table holds, it is analysed or refused, and soon: nothing else is raised, and results can be said in JSON.

These are some 2,100 tables, fast enough to be tried each time.
"""

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actsweep.errors import RequestError
from actsweep.tables import analyze
from curve_tables import Row, make_rows, write_csv, write_parquet

ODD = [
    *(
        "",
        "0",
        "1",
        "2",
        "-1",
        "0.5",
        "1e-320",
        "1e308",
        "-1e308",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "NaN",
        "null",
        "None",
    ),
    *("true", "relu", "tanh", "RELU", "tune", "replicate", "cross", "completed", "stopped", "diverged", "failed"),
    *("9223372036854775808", "1_0", "0x1", "1,5", "\x1b[2J", "[red]", "{}", "=1+1", "\u202eabc", "é", '"', "\n", " "),
]
COLUMNS = [*make_rows()[0], "best_test_acc", "step_ms", "saturated", "grad_slope"]
CHANGES = st.lists(st.tuples(st.integers(0, 15), st.sampled_from(COLUMNS), st.sampled_from(ODD)), max_size=6)
TRIAL_CHANGES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(COLUMNS), st.sampled_from(ODD)), max_size=3)
DROPPED = st.sets(st.integers(0, 15), max_size=6)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "horizon": st.sampled_from([1.0, 2.0, 2.5, 1e9]),
        "classes": st.sampled_from([2, 1000]),
        "target_hi": st.sampled_from([0.0, 0.4, 1.0]),
        "level": st.sampled_from([1e-9, 0.5, 1 - 1e-12]),
        "factor": st.sampled_from(["depth", "trial_name", "lr"]),
        "stratum": st.sampled_from([(), ("activation",), ("note", "depth")]),
        "reference": st.sampled_from(["tanh", "1"]),
    },
)
LONGEST_SECONDS = 10
TYPES: tuple[Callable[[Any], Any], ...] = (
    lambda column: column.dictionary_encode(),
    lambda column: column.cast(pa.float64()).cast(pa.decimal128(20, 5)),
    lambda column: pa.array([[value] for value in column.to_pylist()]),
    lambda column: pa.array([{"a": value} for value in column.to_pylist()]),
    lambda column: pa.nulls(len(column)),
    lambda column: column.cast(pa.binary()),
    lambda column: column.cast(pa.int64()).cast(pa.timestamp("s")),
    lambda column: pa.array([2**64 - 1] * len(column), pa.uint64()),
    lambda column: pa.array([True] * len(column)),
)
SPELLINGS: tuple[tuple[Callable[[bytes], bytes], bool], ...] = (  # and whether a table of that spelling is read
    (lambda table: b"\xef\xbb\xbf" + table, True),
    (lambda table: table.decode().encode("utf-16"), False),
    (lambda table: table.replace(b"\n", b"\r\n"), True),
    (lambda table: table.replace(b"\n", b"\r"), True),
    (lambda table: table.replace(b",", b";"), False),
    (lambda table: table.replace(b",", b", "), True),
    (lambda table: table.replace(b"lr", b"epoch", 1), False),
    (lambda table: table + b'"', False),
    (lambda table: table + b"," * 100_000, False),
    (lambda table: table.partition(b"\n")[0], False),
    (lambda table: table.replace(b"relu", b"x" * 70_000, 1), False),
)
FAST = settings(deadline=None, database=None, derandomize=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def analysed_or_refused(path: Path, **options: Any) -> bool:
    refusal, began = "", time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            json.dumps(analyze(path, **options), allow_nan=False)
    except RequestError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert time.monotonic() - began < LONGEST_SECONDS
    return not refusal


def rows_with(changes: Any, trial_changes: Any, dropped: Any) -> list[Row]:
    rows = make_rows(best_test_acc=None, step_ms=None, saturated=None, grad_slope=None)
    for trial, column, value in trial_changes:
        for row in rows[4 * trial : 4 * trial + 4]:
            row[column] = value
    for index, column, value in changes:
        rows[index][column] = value
    return [row for index, row in enumerate(rows) if index not in dropped]


@given(changes=CHANGES, trial_changes=TRIAL_CHANGES, dropped=DROPPED, options=OPTIONS)
@settings(FAST, max_examples=600)
def test_csv_tables_with_odd_cells(folder: Path, changes: Any, trial_changes: Any, dropped: Any, options: Any) -> None:
    analysed_or_refused(write_csv(folder / "cells.csv", rows_with(changes, trial_changes, dropped)), **options)


@given(changes=CHANGES, trial_changes=TRIAL_CHANGES)
@settings(FAST, max_examples=200)
def test_parquet_tables_with_odd_cells(folder: Path, changes: Any, trial_changes: Any) -> None:
    analysed_or_refused(write_parquet(folder / "cells.parquet", rows_with(changes, trial_changes, ())))


@given(
    numbers=st.lists(
        st.tuples(
            st.sampled_from(
                ["seconds", "step", "train_loss", "val_loss", "val_acc", "train_acc", "test_acc", "step_ms"]
            ),
            st.lists(st.floats(min_value=0, max_value=1) | st.floats(), min_size=16, max_size=16),
        ),
        min_size=1,
    )
)
@settings(FAST, max_examples=200)
def test_any_numbers(folder: Path, numbers: Any) -> None:
    rows = make_rows(step_ms=1.0)
    for column, values in numbers:
        for row, value in zip(rows, sorted(values) if column in ("seconds", "step") else values, strict=True):
            row[column] = value
    analysed_or_refused(write_parquet(folder / "numbers.parquet", rows))


@given(
    text=st.text(st.sampled_from('a,1.0\n\r"; \t\0\x1b') | st.characters(codec="utf-8"), max_size=60),
    place=st.integers(0, 900),
    cut=st.integers(0, 30),
)
@settings(FAST, max_examples=600)
def test_damaged_csv_files(folder: Path, text: str, place: int, cut: int) -> None:
    content = write_csv(folder / "whole.csv", make_rows()).read_bytes()
    (folder / "damaged.csv").write_bytes(content[:place] + text.encode() + content[place + cut :])
    analysed_or_refused(folder / "damaged.csv")


@given(content=st.binary(max_size=200))
@settings(FAST, max_examples=200)
def test_bytes_of_any_kind(folder: Path, content: bytes) -> None:
    (folder / "bytes.csv").write_bytes(content)
    assert not analysed_or_refused(folder / "bytes.csv")


@given(place=st.integers(0, 20_000), content=st.binary(min_size=1, max_size=8))
@settings(FAST, max_examples=200)
def test_damaged_parquet_files(folder: Path, place: int, content: bytes) -> None:
    whole = write_parquet(folder / "whole.parquet", make_rows()).read_bytes()
    place %= len(whole)
    (folder / "damaged.parquet").write_bytes(whole[:place] + content + whole[place + len(content) :])
    analysed_or_refused(folder / "damaged.parquet")


@pytest.mark.parametrize("name", list(make_rows()[0]))
def test_parquet_tables_with_columns_of_other_types(folder: Path, name: str) -> None:
    table = pq.read_table(write_parquet(folder / "whole.parquet", make_rows()))
    place = table.column_names.index(name)
    for change in TYPES:
        try:
            column = change(table.column(name))
        except (pa.ArrowException, ValueError):  # a type that cannot hold these values
            column = table.column(name).cast(pa.string())
        pq.write_table(table.set_column(place, name, column), folder / "other.parquet")
        analysed_or_refused(folder / "other.parquet")
    pq.write_table(table.append_column(name, table.column(name)), folder / "twice.parquet")
    assert not analysed_or_refused(folder / "twice.parquet")


@pytest.mark.parametrize(("spelt", "is_read"), SPELLINGS)
def test_csv_tables_as_other_programs_write_them(folder: Path, spelt: Callable[[bytes], bytes], is_read: bool) -> None:
    whole = write_csv(folder / "whole.csv", make_rows()).read_bytes()
    (folder / "other.csv").write_bytes(spelt(whole))
    assert analysed_or_refused(folder / "other.csv") == is_read
