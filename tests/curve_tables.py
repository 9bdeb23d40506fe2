"""Small tables of curves as rows, written as CSV and as Parquet."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def make_rows(
    arms: Sequence[str] = ("relu", "tanh"), seeds: Iterable[int] = (0, 1), horizon: int = 3, **columns: Any
) -> list[Row]:
    """Replicates that are alike but for a shift by their seed, trial by trial, with these columns added or replaced."""
    return [
        {
            "trial_id": f"{arm}-{seed}",
            "phase": "replicate",
            "activation": arm,
            "depth": 3,
            "lr": 0.01,
            "seed": seed,
            "block": 0,
            "epoch": epoch,
            "step": 100 * epoch,
            "seconds": 1.5 * epoch,
            "train_loss": 2.3 - 0.5 * epoch,
            "train_acc": 0.1 + 0.25 * epoch,
            "val_loss": 2.4 - 0.5 * epoch,
            "val_acc": 0.1 + 0.2 * epoch + 0.01 * seed,
            "test_acc": 0.7 + 0.01 * seed if epoch == horizon else None,
            "status": "completed" if epoch == horizon else None,
            **columns,
        }
        for arm in arms
        for seed in seeds
        for epoch in range(horizon + 1)
    ]


def pick(rows: Iterable[Row], **where: Any) -> list[Row]:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in where.items())]


def without(rows: Iterable[Row], **where: Any) -> list[Row]:
    """The rows that do not have all of these values."""
    rows = list(rows)
    return [row for row in rows if row not in pick(rows, **where)]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows, None as an empty cell."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows, None as a null; a column of texts and numbers becomes text."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, values in columns.items():
        if len({isinstance(value, str) for value in values if value is not None}) > 1:
            columns[name] = [None if value is None else str(value) for value in values]
    pq.write_table(pa.table(columns), path)
    return path
