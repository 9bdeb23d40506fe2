"""Logged runs of other tools as a table of curves: one row a run and epoch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actsweep.errors import TableError
from actsweep.study.space import text
from actsweep.tables.schema import NUMBERS, ONCE, Schema, shown
from actsweep.tables.sources import Source, open_texts

Cells = Mapping[str, str | None]
FAILED = "failed"


@dataclass(frozen=True)
class Run:
    """One run as its tool logged it, every value as text, None or absent where nothing was logged.

    Attributes:
        trial_id: what the run is called.
        settings: what does not change within the run.
        rows: what was logged, in that order; several rows may belong to one epoch.
        status: empty, or what became of the run.
    """

    trial_id: str
    settings: Cells
    rows: Sequence[Cells] = field(default_factory=list)
    status: str = ""


def as_source(name: str, runs: Sequence[Run], schema: Schema) -> Source:
    """The runs as a table: per run and epoch, of each column the last value that was logged.

    Epochs without a validation accuracy are left out, unless a loss in them is not finite. What is measured once
    stands on a run's last row, wherever it was logged.

    Raises:
        TableError: there are no runs, or one of several has no validation accuracy.
    """
    if not runs:
        raise TableError(f"{name}: no runs are in it")
    logged = {column for run in runs for cells in (run.settings, *run.rows) for column in cells}
    names = {ours: schema.theirs(ours, logged) for ours in NUMBERS}
    table: list[tuple[int, dict[str, str | None]]] = []
    for run in runs:
        rows = _rows(run, names)
        if not rows and {names["val_acc"], names["epoch"]} <= logged:
            raise TableError(f"{name}: the run {shown(run.trial_id)} has no {shown(names['val_acc'])} at any epoch")
        table += enumerate(rows, start=1)
    columns = dict.fromkeys(("trial_id", *sorted(logged), "status"))
    return open_texts(
        name,
        {column: [row.get(column) for _, row in table] for column in columns},
        [number for number, _ in table],
    )


def _rows(run: Run, names: Mapping[str, str]) -> list[dict[str, str | None]]:
    """A run's rows by epoch, in the order in which the epochs were first logged; `names` are its columns by ours."""
    once = {names[ours] for ours in ONCE}
    final = {name: value for name, value in run.settings.items() if name in once}
    by_epoch: dict[str, dict[str, str | None]] = {}
    for logged in run.rows:
        known = {name: value for name, value in logged.items() if value}
        final |= {name: value for name, value in known.items() if name in once}
        if epoch := known.get(names["epoch"]):
            by_epoch.setdefault(epoch, {}).update({name: value for name, value in known.items() if name not in once})
    losses = [names["train_loss"], names["val_loss"]]
    rows = [
        row
        for row in by_epoch.values()
        if row.get(names["val_acc"]) or any(_is_not_finite(row.get(loss)) for loss in losses)
    ]
    if not rows and run.status == FAILED:
        rows = [{names["epoch"]: "0"}]
    if rows:
        last = max(rows, key=lambda row: _epoch(row[names["epoch"]]))
        last |= final | ({"status": run.status} if run.status else {})
    fixed = {name: value for name, value in run.settings.items() if name not in names.values()}
    return [{**row, **fixed, "trial_id": run.trial_id} for row in rows]


def _is_not_finite(value: str | None) -> bool:
    return str(value).lstrip("+-").lower() in ("nan", "inf", "infinity")


def _epoch(value: str | None) -> float:
    try:
        return float(value or "nan")
    except ValueError:
        return math.nan


def settings_of(tree: Mapping[str, Any]) -> dict[str, str | None]:
    """A tree of settings as cells: each by its path (joined by a slash), and by its last word where that is unique."""
    paths = flat(tree)
    words = [path.rsplit("/", 1)[-1] for path in paths]
    short = {word: value for word, value in zip(words, paths.values(), strict=True) if words.count(word) == 1}
    return {**short, **paths}


def settings_in_name(name: str) -> dict[str, str | None]:
    """The settings that a run's name spells out: `key=value`, separated by commas, semicolons, slashes or blanks."""
    pairs = (part.split("=", 1) for part in re.split(r"[,;/\s]+", name) if "=" in part)
    return {key: value for key, value in pairs if key and value}


def cell(value: Any) -> str | None:
    """A plain value as a cell; None, lists that cannot be written and the like are empty."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool | int | float):
        return text(value)
    return json.dumps(value, default=str)


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str | None]:
    """The leaves of a tree as cells, each by its path, joined by a slash."""
    cells: dict[str, str | None] = {}
    for key, node in tree.items():
        if isinstance(node, Mapping):
            cells |= flat(node, f"{prefix}{key}/")
        else:
            cells[f"{prefix}{key}"] = cell(node)
    return cells
