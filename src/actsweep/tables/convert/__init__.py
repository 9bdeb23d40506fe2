"""Logs of other tools as tables of curves."""

from __future__ import annotations

from pathlib import Path

from actsweep.report.wording import clean
from actsweep.tables.convert.event_files import read_event_files
from actsweep.tables.convert.runs import as_source
from actsweep.tables.convert.tune_results import read_tune_results
from actsweep.tables.convert.wandb_csv import read_wandb_csv
from actsweep.tables.convert.wandb_sweep import read_wandb_sweep
from actsweep.tables.schema import Schema
from actsweep.tables.sources import Source, open_file

CSV, WANDB_CSV, TENSORBOARD, RAY, WANDB = "csv", "wandb-csv", "tensorboard", "ray", "wandb"
FORMATS = (CSV, WANDB_CSV, TENSORBOARD, RAY, WANDB)
_READERS = {TENSORBOARD: read_event_files, RAY: read_tune_results, WANDB: read_wandb_sweep}


def open_source(path: Path, kind: str, schema: Schema) -> Source:
    """What a path holds in the format `kind`, one of `FORMATS` (csv stands for Parquet too), as a table.

    Raises:
        TableError: it is not in that format.
        RequestError: a package that the format needs is not installed, or W&B does not give the sweep.
    """
    if kind == CSV:
        return open_file(path)
    runs = read_wandb_csv(path, schema.mapping.get("trial_id")) if kind == WANDB_CSV else _READERS[kind](path)
    return as_source(clean(path), runs, schema)
