"""What W&B's server has, through wandb's public API, which asks again at every call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StoredRun:
    """A run as the server has it: its history in order without wandb's own columns, its summary, and its sweep."""

    rows: list[dict[str, Any]]
    summary: Mapping[str, Any]
    sweep: str | None


def read_run(api: Any, path: str) -> StoredRun | None:
    """A run by `entity/project/id`; None where the server has none of that id.

    Raises:
        Exception: whatever wandb raises where the server cannot be asked.
    """
    run = _run(api, path)
    if run is None:
        return None
    rows = [
        {name: value for name, value in row.items() if not name.startswith("_")}
        for row in run.scan_history(use_cache=False)
    ]
    return StoredRun(rows, dict(run.summary), run.sweep_name)


def add_to_summary(api: Any, path: str, keys: Mapping[str, Any]) -> bool:
    """Add keys to a run's summary; whether the server has the run.

    Raises:
        Exception: whatever wandb raises where the server cannot be asked.
    """
    run = _run(api, path)
    if run is not None and any(run.summary.get(name) != value for name, value in keys.items()):
        run.summary.update(dict(keys))
    return run is not None


def files_of(api: Any, path: str) -> set[str]:
    """The names of a run's files; none where the server has no such run.

    Raises:
        Exception: whatever wandb raises where the server cannot be asked.
    """
    run = _run(api, path)
    return {file.name for file in run.files()} if run is not None else set()


def _run(api: Any, path: str) -> Any:
    from wandb.errors import CommError

    api.flush()
    try:
        return api.run(path)
    except CommError as error:
        if "Could not find run" in str(error):
            return None
        raise
