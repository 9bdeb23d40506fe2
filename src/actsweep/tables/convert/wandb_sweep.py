"""A sweep at W&B, read through its public API: a run a trial."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actsweep.study import PHASES
from actsweep.tables.convert.runs import FAILED, Cells, Run, cell, flat, settings_of

if TYPE_CHECKING:
    from actsweep.tracker import SweepRun

_STATES = {"finished": "completed", "failed": FAILED, "crashed": FAILED, "killed": FAILED}
_OWN_STATUS = ("completed", "diverged", "stopped", FAILED)


def read_wandb_sweep(path: Path) -> list[Run]:
    """The runs of the sweep `ENTITY/PROJECT/SWEEP`; of a sweep of ours the last attempt at each trial.

    Raises:
        RequestError: W&B does not give the sweep.
    """
    from actsweep.tracker import runs_of_sweep

    return [_converted(run) for run in _last_attempts(runs_of_sweep(str(path)))]


def _last_attempts(runs: Iterable[SweepRun]) -> list[SweepRun]:
    """The runs without those of attempts that were repeated, and without the one that holds a study's aggregates."""
    last: dict[Any, SweepRun] = {}
    for run in runs:
        ours = "study_id" in run.config
        if ours and run.kind == "study":
            continue
        trial = (run.config["study_id"], run.config.get("trial_id")) if ours else run.run_id
        if trial not in last or run.config.get("attempt", 0) > last[trial].config.get("attempt", 0):
            last[trial] = run
    return list(last.values())


def _converted(run: SweepRun) -> Run:
    settings = dict(settings_of(run.config))
    if settings.get("phase") not in PHASES:  # that of a run which is of no study
        settings.pop("phase", None)
    rows: list[Cells] = [flat(row) for row in run.rows]
    logged = {name for row in rows for name in row}
    rows.append({name: cell(value) for name, value in run.summary.items() if name not in logged})
    status = run.summary.get("status")
    return Run(run.run_id, settings, rows, status if status in _OWN_STATUS else _STATES.get(run.state, ""))
