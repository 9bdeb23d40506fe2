"""CSV files exported from W&B: charts, the table of runs, and histories in long form."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from actsweep.errors import TableError
from actsweep.report.wording import clean
from actsweep.tables.convert.runs import FAILED, Cells, Run, settings_in_name
from actsweep.tables.schema import shown
from actsweep.tables.sources import check_file

_BETWEEN = " - "  # between a run's name and a metric's, in the columns of a chart
_EXTREMES = ("__MIN", "__MAX")
_RUN_COLUMNS = ("trial_id", "run_id", "run.id", "id", "run", "run_name", "name")
_STATES = {"finished": "completed", "failed": FAILED, "crashed": FAILED}

Rows = list[dict[str, str]]


def read_wandb_csv(path: Path, run_column: str | None) -> list[Run]:
    """The runs in an exported file, or in all the CSV files of a folder together.

    Args:
        path: a chart's export, a history in long form, or a folder of these and of exports of the table of runs.
        run_column: the column that names the run, in long form; None for the usual ones.

    Raises:
        TableError: a file is no such export, or a name stands for two runs.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise TableError(f"{clean(path)}: no CSV files are in this folder")
    settings: dict[str, dict[str, str]] = {}
    rows: dict[str, list[Cells]] = {}
    for file in files:
        header, body = _read(file)
        if "Name" in header:
            _add_settings(settings, body, file)
        elif any(_BETWEEN in column for column in header[1:]):
            for run, row in _chart(header, body, file):
                rows.setdefault(run, []).append(row)
        else:
            for run, row in _history(header, body, file, run_column):
                rows.setdefault(run, []).append(row)
    return [
        Run(
            run,
            {**settings_in_name(run), **settings.get(run, {})},
            its_rows,
            _STATES.get(settings.get(run, {}).get("State", ""), ""),
        )
        for run, its_rows in rows.items()
    ]


def _read(path: Path) -> tuple[list[str], Rows]:
    check_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            header = list(reader.fieldnames or ())
            body = list(reader)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise TableError(f"{clean(path)}: cannot be read as CSV: {shown(error)}") from error
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise TableError(f"{clean(path)}: the column {shown(twice[0])} occurs twice: runs need names of their own")
    return header, body


def _add_settings(settings: dict[str, dict[str, str]], body: Rows, path: Path) -> None:
    for number, row in enumerate(body, start=1):
        if row["Name"] in settings:
            raise TableError(f"{clean(path)}: row {number}: a second run is called {shown(row['Name'])}")
        settings[row["Name"]] = row


def _chart(header: Sequence[str], body: Rows, path: Path) -> Iterator[tuple[str, Cells]]:
    """The rows of a chart: its first column is the x axis, the others hold a metric of a run each."""
    axis, *others = header
    by_run: dict[str, dict[str, str]] = {}
    for column in others:
        if column.startswith("Group: "):
            raise TableError(
                f"{clean(path)}: column {shown(column)} is an average over a group of runs; export it without grouping"
            )
        if column.endswith(_EXTREMES):
            _check_single(column, body, path)
        elif _BETWEEN in column:
            run, metric = column.rsplit(_BETWEEN, 1)
            by_run.setdefault(run, {})[metric] = column
    for row in body:
        for run, metrics in by_run.items():
            cells = {metric: row[column] for metric, column in metrics.items() if row[column]}
            if cells:
                yield run, {axis: row[axis], **cells}


def _check_single(extreme: str, body: Rows, path: Path) -> None:
    """A point of a chart may stand for several logged values, whose mean is none of them: then its extremes differ."""
    column = extreme[: -len(_EXTREMES[0])]
    for number, row in enumerate(body, start=1):
        if row[extreme] not in ("", row.get(column, "")):
            raise TableError(
                f"{clean(path)}: row {number}, column {shown(column)}: is a mean of several evaluations, as its __MIN "
                "and __MAX differ from it; export the chart at full fidelity and without smoothing"
            )


def _history(header: Sequence[str], body: Rows, path: Path, run_column: str | None) -> Iterator[tuple[str, Cells]]:
    names = [name for name in ((run_column,) if run_column else _RUN_COLUMNS) if name in header]
    if not names:
        raise TableError(
            f"{clean(path)}: is no export of W&B that can be read: neither a chart (columns RUN{_BETWEEN}METRIC), nor "
            f"a table of runs (a column Name), nor a history with a column for the run ({', '.join(_RUN_COLUMNS)})"
        )
    for row in body:
        yield row[names[0]], row
