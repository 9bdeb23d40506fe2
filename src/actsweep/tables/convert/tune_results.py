"""A results folder of Ray Tune: per trial params.json, and result.json or progress.csv; nothing pickled is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from actsweep.errors import TableError
from actsweep.report.wording import clean
from actsweep.tables.convert.runs import FAILED, Cells, Run, flat, settings_of
from actsweep.tables.schema import shown
from actsweep.tables.sources import check_file

_JSON, _CSV, _PARAMS, _ERROR = "result.json", "progress.csv", "params.json", "error.txt"
_NAN = "null"  # the text that Tune writes for numpy's NaN


def read_tune_results(path: Path) -> list[Run]:
    """The trials below a folder; without a metric `epoch`, Tune's training iteration is the epoch.

    Raises:
        TableError: no trial is there, or one of its files is damaged.
    """
    if not path.is_dir():
        raise TableError(f"{clean(path)}: is no folder; --from ray needs the results folder of a Tune experiment")
    folders = sorted({file.parent for name in (_JSON, _CSV, _PARAMS) for file in path.rglob(name)})
    if not folders:
        raise TableError(f"{clean(path)}: holds no trials of Ray Tune: no {_JSON}, {_CSV} or {_PARAMS} is below it")
    states = _states(path)
    runs = [_trial(folder, states.get(folder)) for folder in folders]
    if any("epoch" in row for run in runs for row in run.rows):
        return runs
    return [
        Run(
            run.trial_id,
            run.settings,
            [{**row, "epoch": row.get("training_iteration")} for row in run.rows],
            run.status,
        )
        for run in runs
    ]


def _trial(folder: Path, state: str | None) -> Run:
    rows, settings = _results(folder)
    if (folder / _PARAMS).exists():
        with _read(folder / _PARAMS):
            settings = settings_of(json.loads((folder / _PARAMS).read_text(encoding="utf-8")))
    trial_id = next((row["trial_id"] for row in rows if row.get("trial_id")), None)
    failed = state == "ERROR" or (state is None and (folder / _ERROR).exists())
    return Run(trial_id or folder.name, settings, rows, FAILED if failed else "")


def _results(folder: Path) -> tuple[list[Cells], Cells]:
    """A trial's reported rows, and the settings that each of them repeats."""
    if (folder / _JSON).exists():
        with _read(folder / _JSON):
            lines = (folder / _JSON).read_text(encoding="utf-8").split("\n")
            reports = [json.loads(line) for line in lines[:-1] if line]  # the last may be cut off in writing
            configs = [report.pop("config", None) for report in reports]
            return [_cells(flat(report)) for report in reports], settings_of(next(filter(None, configs), {}))
    if (folder / _CSV).exists():
        with _read(folder / _CSV), (folder / _CSV).open(encoding="utf-8", newline="") as file:
            return [_cells(row) for row in csv.DictReader(file, restkey="", restval=None)], {}
    return [], {}


def _cells(row: Cells) -> Cells:
    return {name: "nan" if value == _NAN else value for name, value in row.items()}


def _states(path: Path) -> dict[Path, str]:
    """What became of the trials, by their folders, as far as Tune's own files can be understood."""
    states = {}
    for file in sorted(path.rglob("experiment_state-*.json")):
        with suppress(ValueError, TypeError, KeyError, OSError, RecursionError):
            for trial, _ in json.loads(file.read_text(encoding="utf-8"))["trial_data"]:
                known = json.loads(trial)
                states[file.parent / known["relative_logdir"]] = str(known["status"])
    return states


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """What can go wrong in a trial's file, in our own words."""
    check_file(path)
    try:
        yield
    except (ValueError, TypeError, AttributeError, RecursionError, OSError, csv.Error) as error:
        raise TableError(f"{clean(path)}: is damaged: {shown(error)}") from error
