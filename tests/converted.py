"""Logs of other tools as the trials that they are read as."""

from pathlib import Path
from typing import Any

from actsweep.analysis import TrialCurve
from actsweep.tables import trial_curves
from actsweep.tables.convert import open_source
from actsweep.tables.read import table_of
from actsweep.tables.schema import Schema


def converted(path: Path, kind: str, **mapping: str) -> dict[str, TrialCurve]:
    schema = Schema(mapping=mapping)
    return {trial.trial_id: trial for trial in trial_curves(table_of(open_source(path, kind, schema), schema))}


def place(trial: TrialCurve) -> tuple[Any, ...]:
    return trial.arm, trial.strata, trial.lr, trial.seed
