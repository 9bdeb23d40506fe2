"""The runs of anyone's W&B sweep, whole: every row of their histories, where W&B's own charts show a sample."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actsweep.errors import RequestError
from actsweep.settings import TrackerSettings
from actsweep.tracker.client import Client, prepare_environment
from actsweep.tracker.faults import fault_of
from actsweep.tracker.login import require_login

_PARTS = 3
_PAGE = 200  # runs in one answer


@dataclass(frozen=True)
class SweepRun:
    """A run as W&B has it.

    Attributes:
        run_id: its id.
        state: such as finished, running, failed or crashed.
        kind: its job type.
        config: its settings, as a tree.
        summary: its summary, without wandb's own keys.
        rows: its history in order; non-finite numbers are texts.
    """

    run_id: str
    state: str
    kind: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    rows: list[Mapping[str, Any]]


def runs_of_sweep(path: str) -> list[SweepRun]:
    """The runs of a sweep.

    Args:
        path: `ENTITY/PROJECT/SWEEP`.

    Raises:
        RequestError: the path is none, there is no key, or W&B does not give what was asked for.
    """
    parts = path.split("/")
    if len(parts) != _PARTS or not all(parts):
        raise RequestError(f"{path}: --from wandb needs ENTITY/PROJECT/SWEEP, the last part of the sweep's address")
    entity, project, sweep = parts
    settings = TrackerSettings(name="wandb_online", project=project, entity=entity)
    require_login(settings)
    prepare_environment()
    found: list[SweepRun] = []
    with tempfile.TemporaryDirectory() as folder:
        client = Client(settings, Path(folder))
        try:
            fault = fault_of(lambda: found.extend(_runs(client.api(), f"{entity}/{project}", sweep)))
        finally:
            client.close()
    if fault:
        raise RequestError(f"{path}: W&B does not give this sweep: {fault}")
    return found


def _runs(api: Any, project: str, sweep: str) -> Iterator[SweepRun]:
    api.sweep(f"{project}/{sweep}")  # raises where there is none
    for run in api.runs(project, filters={"sweep": sweep}, per_page=_PAGE, lazy=False):
        yield _run(run)


def _run(run: Any) -> SweepRun:
    summary = {name: value for name, value in dict(run.summary).items() if not name.startswith("_")}
    rows = list(run.scan_history(use_cache=False))
    return SweepRun(run.id, run.state, run.job_type or "", dict(run.config), summary, rows)
