"""TensorBoard's event files: every folder that holds some is a run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from actsweep.errors import RequestError, TableError
from actsweep.report.wording import clean
from actsweep.tables.convert.runs import Cells, Run, settings_in_name, settings_of
from actsweep.tables.schema import shown
from actsweep.tables.sources import check_file

_PATTERN = "*tfevents*"


def read_event_files(path: Path) -> list[Run]:
    """The runs below a folder: tags as columns, and `step`, TensorBoard's step; without a tag `epoch`, that step is it.

    A run's settings are its hyperparameters (also those in folders below its own), else what its folder's name spells
    out as `key=value`.

    Raises:
        RequestError: tensorboard is not installed.
        TableError: no event files are there, or one is damaged.
    """
    _require_tensorboard()
    if not path.is_dir():
        raise TableError(f"{clean(path)}: is no folder; --from tensorboard needs a folder of event files")
    runs: dict[Path, list[Path]] = {}
    for file in sorted(path.rglob(_PATTERN)):
        runs.setdefault(_run_of(file.parent, path), []).append(file)
    if not runs:
        raise TableError(f"{clean(path)}: holds no event files (named {_PATTERN})")
    read = [_run(folder, files, path) for folder, files in runs.items()]
    if any("epoch" in row for run in read for row in run.rows):
        return read
    return [replace(run, rows=[_renamed(row, "step", "epoch") for row in run.rows]) for run in read]


def _renamed(row: Cells, name: str, new_name: str) -> Cells:
    return {new_name if column == name else column: value for column, value in row.items()}


def _run_of(folder: Path, root: Path) -> Path:
    """The folder of the run that the event files in `folder` belong to: the outermost below `root` with such files."""
    above = [parent for parent in (folder, *folder.parents) if root in parent.parents]
    return next((parent for parent in reversed(above) if any(parent.glob(_PATTERN))), folder)


def _run(folder: Path, files: Sequence[Path], root: Path) -> Run:
    steps: dict[int, dict[str, str | None]] = {}
    settings: dict[str, Any] = {}
    for file in files:
        for step, tag, value in _values(file, settings):
            if file.parent == folder:
                steps.setdefault(step, {"step": str(step)})[tag] = value
    name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    return Run(name, {**settings_in_name(name), **settings_of(settings)}, [steps[step] for step in sorted(steps)])


def _values(path: Path, settings: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Step, tag and value, as text, of the scalars in an event file; the hyperparameters in it are added to `settings`.

    Raises:
        TableError: the file cannot be read; where it is cut off, what comes before that is read.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    from tensorboard.plugins.hparams.error import HParamsError

    check_file(path)
    try:
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    settings.update(_hyperparameters(value))
                elif value.HasField("simple_value"):
                    yield event.step, value.tag, str(np.float32(value.simple_value))
                elif value.HasField("tensor") and (number := _scalar(value.tensor)) is not None:
                    yield event.step, value.tag, number
    except (DecodeError, HParamsError, OSError, TypeError, ValueError) as error:
        raise TableError(f"{clean(path)}: is damaged: {shown(error)}") from error


def _hyperparameters(value: Any) -> dict[str, Any]:
    from tensorboard.plugins.hparams import metadata

    if value.tag != metadata.SESSION_START_INFO_TAG:
        return {}
    info = metadata.parse_session_start_info_plugin_data(value.metadata.plugin_data.content)
    given = {name: getattr(kind, kind.WhichOneof("kind") or "", None) for name, kind in info.hparams.items()}
    return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in given.items()}


def _scalar(tensor: Any) -> str | None:
    """The number in a tensor of one number, as text in its own precision, else None."""
    from tensorboard.util import tensor_util

    values = tensor_util.make_ndarray(tensor)
    return str(values.reshape(-1)[0]) if values.size == 1 and values.dtype.kind in "fiu" else None


def _require_tensorboard() -> None:
    if importlib.util.find_spec("tensorboard") is None:
        raise RequestError(
            "--from tensorboard needs the package tensorboard: pip install '/path/to/clone[tensorboard]'"
        )
