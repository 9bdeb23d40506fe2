"""A study's trials as TensorBoard's event files, with their settings for its HParams view."""

import shutil
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from actsweep.analysis import TrialCurve
from actsweep.errors import RequestError
from actsweep.report.rows import Results, Row, nuisance_of
from actsweep.report.wording import clean

_SERIES = ("val_acc", "train_acc", "val_loss", "train_loss", "grad_slope", "saturated", "dead")
_MEASURES = ("best_val_acc", "test_acc", "gap_end", "gap_best", "gap_match", "nauc")
_HINT = "--tensorboard needs the packages of an extra: pip install '/path/to/clone[tensorboard]'"


def write_tensorboard(folder: Path, results: Results, trials: Iterable[TrialCurve]) -> Path:
    """Write a run a trial: its curves by epoch, its settings, and its measures to compare settings by.

    Args:
        folder: where the runs go; what it held is replaced.
        results: the results dictionary.
        trials: the trials that it is of, with their curves; failed ones have no run.

    Returns:
        the folder, for `tensorboard --logdir`.

    Raises:
        RequestError: tensorboard is not installed, or the folder holds something else.
    """
    if find_spec("tensorboard") is None:
        raise RequestError(_HINT)
    if folder.exists():
        _refuse_others(folder)
        shutil.rmtree(folder)
    rows = {row["trial_id"]: row for row in results["trials"]}
    declaration = _declaration(results)
    for trial in trials:
        if trial.trial_id in rows and not trial.failed:
            place = folder / trial.phase / clean(trial.trial_id, 80).replace("/", "_")
            _write(place, results, rows[trial.trial_id], trial, declaration)
    return folder


def _refuse_others(folder: Path) -> None:
    strangers = [path for path in folder.rglob("*") if not path.is_dir() and "tfevents" not in path.name]
    if strangers or folder.is_symlink():
        raise RequestError(f"--tensorboard: {folder} holds files that are none of TensorBoard's; move them away")


def _declaration(results: Results) -> Any:
    """Which settings and measures the HParams view is to show, so that it leaves curves to the scalars."""
    from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb

    names = dict.fromkeys(name for row in results["trials"] for name in _settings(results, row))
    return hparams_config_pb([HParam(name) for name in names], [Metric(name) for name in _MEASURES])


def _write(folder: Path, results: Results, row: Row, trial: TrialCurve, declaration: Any) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    now = time.time()
    writer.add_event(Event(wall_time=now, summary=declaration))
    writer.add_event(Event(wall_time=now, summary=hparams_pb(_settings(results, row), trial_id=trial.trial_id)))
    for step, values in _scalars(row, trial):
        known = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer.add_event(Event(wall_time=now, step=step, summary=Summary(value=known)))
    writer.close()


def _settings(results: Results, row: Row) -> dict[str, Any]:
    study = results["study"]
    compared = [
        study["factor"],
        *(name for name in str(study["stratum"] or "").split(",") if row.get(name) is not None),
    ]
    known = {
        **{name: row[name] for name in compared},
        **nuisance_of(results, row),
        "phase": row["phase"],
        "seed": row["seed"],
    }
    return {name: value for name, value in known.items() if isinstance(value, bool | int | float | str)}


def _scalars(row: Row, trial: TrialCurve) -> Iterator[tuple[int, dict[str, float]]]:
    """Values by epoch; the trial's measures stand at its last one."""
    curve = trial.curve
    series = {name: values for name in _SERIES if (values := getattr(curve, name)) is not None}
    for place, epoch in enumerate(curve.epoch.tolist()):
        found = {name: float(values[place]) for name, values in series.items() if np.isfinite(values[place])}
        if place == len(curve.epoch) - 1:
            found |= {name: row[name] for name in _MEASURES if row.get(name) is not None}
        yield int(epoch), found
