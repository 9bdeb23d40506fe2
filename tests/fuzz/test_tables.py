"""Tables of curves, damaged at random: each is analysed or refused in one message, and soon."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from actsweep.errors import ActsweepError
from actsweep.report.wording import escaped
from actsweep.tables import run_analyze
from curve_tables import make_rows, write_csv

LONGEST_SECONDS = 10
CELLS = (
    *("", "nan", "inf", "-inf", "NaN", "-0.0", "1e999", "-1", "0.5", "2", "1e300", "9" * 40, "0x1", "true", "None"),
    *("2024-01-01", "=1+1", '"', "'", ",", "\t", "\x00", "\x1b[31m", "\u202e", "</script>", "é", "x" * 70_000, "relu"),
)
TYPES = (
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
VALUES = (None, float("nan"), float("inf"), -1, 2**70, "x", True, b"\xff", [1], {"a": 1}, pd.Timestamp(0), 1 + 2j)


def changed_bytes(chance: random.Random, content: bytes) -> bytes:
    """Bytes flipped, cut out, doubled, or the end cut off."""
    whole = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(whole))
        match chance.randrange(5):
            case 0:
                whole[place] ^= 1 << chance.randrange(8)
            case 1:
                del whole[place : place + chance.randint(1, 40)]
            case 2:
                whole[place:place] = whole[place : place + chance.randint(1, 40)]
            case 3:
                whole = whole[: max(1, place)]
            case 4:
                whole[place:place] = chance.choice(CELLS)[:200].encode()
    return bytes(whole)


def changed_cells(chance: random.Random, rows: list[dict[str, Any]], values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Cells replaced; rows doubled, lost or moved; columns dropped, renamed or filled with one value."""
    rows = [dict(row) for row in rows]
    for _ in range(chance.randint(1, 4)):
        row, name = chance.choice(rows), chance.choice(list(rows[0]))
        match chance.randrange(7):
            case 0 | 1 | 2:
                row[name] = chance.choice(values)
            case 3:
                rows.append(dict(row))
            case 4:
                rows = [other for other in rows if other is not row] or rows
            case 5:
                value = chance.choice(values)
                rows = [{**other, name: value} for other in rows]
            case 6 if len(rows[0]) > 1:
                rows = [{key: value for key, value in other.items() if key != name} for other in rows]
    chance.shuffle(rows)
    return rows


def damaged(chance: random.Random, folder: Path) -> Path:
    """A table that was whole."""
    rows = make_rows(seeds=range(chance.randint(1, 3)))
    path = folder / f"table.{chance.choice(('csv', 'csv', 'parquet'))}"
    if chance.random() < 0.3:
        _write(path, rows)
        if path.suffix == ".csv":
            path.write_bytes(respelled(chance, path.read_bytes()))
        else:
            retyped(chance, path)
    elif chance.random() < 0.5:
        _write(path, rows)
        path.write_bytes(changed_bytes(chance, path.read_bytes()))
    else:
        _write(path, changed_cells(chance, rows, CELLS if path.suffix == ".csv" else VALUES))
    return path


def retyped(chance: random.Random, path: Path) -> None:
    """A Parquet file of which a column has another type or another name, or is there twice."""
    table = pq.read_table(path)
    place = chance.randrange(table.num_columns)
    column, name = table.column(place), table.column_names[place]
    make = chance.choice(TYPES)
    try:
        column = make(column)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        column = pa.array([str(value) for value in column.to_pylist()])
    if chance.random() < 0.1:
        table = table.append_column(name, column)
    else:
        table = table.set_column(place, chance.choice((name, name, name, name.upper(), f"\ufeff{name}", "")), column)
    pq.write_table(table, path)


def respelled(chance: random.Random, content: bytes) -> bytes:
    """A CSV file as other programs write it, or get it wrong."""
    head, _, rows = content.partition(b"\n")
    return chance.choice(
        (
            b"\xef\xbb\xbf" + content,
            content.decode().encode("utf-16"),
            content.replace(b"\n", b"\r\n"),
            content.replace(b"\n", b"\r"),
            content.replace(b",", b";"),
            content.replace(b",", b", "),
            head.replace(b"lr", b"epoch") + b"\n" + rows,
            b",".join(b'"%s"' % name for name in head.split(b",")) + b"\n" + rows,
            content + b'"',
            content + b"," * 100_000,
            head,
        )
    )


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".csv":
        write_csv(path, rows)
        return
    columns = {}
    for name in rows[0]:
        values = [row.get(name) for row in rows]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, OverflowError, TypeError):
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    pq.write_table(pa.table(columns), path)


def analysed_or_refused(number: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = damaged(random.Random(number), folder)
    began = time.monotonic()
    try:
        run_analyze([str(path), "--out", str(folder / "out"), "--no-report"])
    except ActsweepError as error:
        outcome, said = "refused", escaped(str(error))
    else:
        outcome, said = "analysed", capsys.readouterr().out
    assert said.strip(), number
    assert not {"\x1b", "\u202e"} & set(said), number
    assert time.monotonic() - began < LONGEST_SECONDS, number
    return outcome


@pytest.fixture
def outcomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[range], set[str]]:
    return lambda numbers: {analysed_or_refused(number, tmp_path, capsys) for number in numbers}


def test_a_few_tables(outcomes: Callable[[range], set[str]]) -> None:
    assert outcomes(range(40)) == {"analysed", "refused"}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_two_thousand_tables(outcomes: Callable[[range], set[str]]) -> None:
    assert outcomes(range(2000)) == {"analysed", "refused"}
