"""The tune phase as one Optuna study in a file, for Optuna's own tools; nothing ever reads it back."""

import json
import math
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from urllib.parse import quote

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, distribution_to_json
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from actsweep.events import Event, StudyRecord, TrialRecord, TrialStarted
from actsweep.records import StudyFolder, write_whole
from actsweep.records.derived.stopping import best_accuracies
from actsweep.search.proposer import distribution
from actsweep.study import Cell, Study
from actsweep.study.space import Dimension, Value

EVERY = 60.0  # seconds between two batches


class Mirror:
    """Keeps `optuna.db` in step with a study while it runs, in batches, so that a dashboard may look on.

    It holds the ended tune trials with their states, scientific values as categorical parameters. A trial's value is
    its best validation accuracy, its intermediate values are the accuracies by epoch, and its user attributes say which
    trial and block it is, how it ended, and the rung at which it was stopped or, spared, would have been.

    A batch is added to the file, which a dashboard that has it open then shows. The file is made anew by the first
    batch, and where a range has grown or a failed trial runs again, which a dashboard sees once it is opened again.
    Where it cannot be written, as on a full disk, the study goes on without it, and a later batch makes it anew.

    Args:
        study: the study.
        folder: where the file is.
        record: what has happened so far; the mirror goes on with it, so nobody else may.
        every: seconds between two batches.
    """

    def __init__(self, study: Study, folder: StudyFolder, record: StudyRecord, every: float = EVERY) -> None:
        self._study = study
        self._folder = folder
        self._record = record
        self._every = every
        self._written = 0
        self._parameters: _Parameters | None = None
        self._ended = {trial_id: None for trial_id, trial in record.trials.items() if _is_mirrored(trial)}  # an order
        self._due = time.monotonic() + every

    def __call__(self, event: Event) -> None:
        """Take in one event, and write what has gathered when it is time."""
        self._record(event)
        trial = self._record.trials.get(getattr(event, "trial_id", ""))
        if isinstance(event, TrialStarted) and event.trial_id in self._ended:
            del self._ended[event.trial_id]
            self._written, self._parameters = 0, None
        elif trial is not None and _is_mirrored(trial) and event.kind in ("finished", "stopped", "failed"):
            self._ended[trial.started.trial_id] = None
        if time.monotonic() >= self._due and len(self._ended) > self._written:
            self._write()

    def close(self) -> None:
        """Write what is not in the file yet."""
        if self._parameters is None or len(self._ended) > self._written:
            self._write()

    def _write(self) -> None:
        trials = [self._record.trials[trial_id] for trial_id in self._ended]
        parameters = _parameters(self._study, self._record, trials)
        new = trials[self._written :]
        path = self._folder.optuna
        self._due = time.monotonic() + self._every
        try:
            if parameters != self._parameters or not _added(path, self._frozen(new, parameters)):
                _write_anew(self._study.config.run.name, self._frozen(trials, parameters), path)
        except (OSError, sqlite3.Error, SQLAlchemyError, StorageInternalError):
            self._parameters, self._written = None, 0
        else:
            self._parameters, self._written = parameters, len(trials)

    def _frozen(self, trials: Sequence[TrialRecord], parameters: "_Parameters") -> list[FrozenTrial]:
        return _frozen_trials(self._study, self._record, trials, parameters)


def mirrored_trials(study: Study, record: StudyRecord) -> list[FrozenTrial]:
    """All that a mirror of a study holds, in no particular order."""
    trials = [trial for trial in record.trials.values() if _is_mirrored(trial)]
    return _frozen_trials(study, record, trials, _parameters(study, record, trials))


@dataclass(frozen=True)
class _Parameter:
    """One parameter of the mirrored study.

    Attributes:
        name: its name in Optuna.
        distribution: what holds every value that it takes in any cell.
        as_json: whether values are written as JSON, since Python, and so Optuna, takes some for equal (1, 1.0, true).
    """

    name: str
    distribution: BaseDistribution
    as_json: bool = False


class _Parameters(dict[tuple[str, str], _Parameter]):
    """The parameter by the label of a cell and the path of a swept setting."""

    def of(self, label: str, swept: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, BaseDistribution]]:
        """A trial's values, and their distributions, by the name of the parameter."""
        found = {path: self[label, path] for path in swept}
        values = {own.name: json.dumps(swept[path]) if own.as_json else swept[path] for path, own in found.items()}
        return values, {own.name: own.distribution for own in found.values()}


def _parameters(study: Study, record: StudyRecord, trials: Sequence[TrialRecord]) -> _Parameters:
    """What is swept, with one distribution for all cells under one name, as Optuna demands.

    A setting whose range differs between cells has the one that holds them all; one whose distributions differ in kind
    is one parameter per kind, such as `lr (uniform)`.
    """
    parameters = _Parameters()
    for path in (study.factor, *study.strata):
        categories = _categories(study.short_names[path], [cell.values[path] for cell in study.cells])
        parameters |= {(cell.label, path): categories for cell in study.cells}
    for index, own in enumerate(study.space):
        kinds: dict[str, list[Cell]] = {}
        for cell in study.cells:
            kinds.setdefault(cell.space[index].distribution, []).append(cell)
        for kind, cells in kinds.items():
            name = study.short_names[own.path] + f" ({kind})" * (len(kinds) > 1)
            labels = {cell.label for cell in cells}
            used = [t.started.nuisance[own.path] for t in trials if study.cell_at(t.started.cell).label in labels]
            parameter = _united(name, [cell.space[index] for cell in cells], record, used)
            parameters |= {(cell.label, own.path): parameter for cell in cells}
    return parameters


def _categories(name: str, values: Sequence[Value]) -> _Parameter:
    distinct = {json.dumps(value): value for value in values}
    alike = any(one == other for one, other in combinations(distinct.values(), 2))
    return _Parameter(name, CategoricalDistribution(tuple(distinct if alike else distinct.values())), alike)


def _united(name: str, dimensions: Sequence[Dimension], record: StudyRecord, used: Sequence[Value]) -> _Parameter:
    """Dimensions of one kind, with the growth of their ranges and the values used, as one parameter."""
    first = dimensions[0]
    if first.distribution == "choice":
        return _categories(name, [*(value for dimension in dimensions for value in dimension.values), *used])
    for path, side in record.widened:
        if path == first.path:
            dimensions = [dimension.grown(side) for dimension in dimensions]
    numbers = [value for value in used if isinstance(value, int | float)]
    low = min(*(dimension.low for dimension in dimensions), *numbers, math.inf)
    high = max(*(dimension.high for dimension in dimensions), *numbers, -math.inf)
    return _Parameter(name, distribution(replace(first, low=low, high=high)))


def _is_mirrored(trial: TrialRecord) -> bool:
    return trial.started.phase == "tune" and trial.ended


def _frozen_trials(
    study: Study, record: StudyRecord, trials: Sequence[TrialRecord], parameters: _Parameters
) -> list[FrozenTrial]:
    if record.started is None:
        return []
    resulted = [trial for trial in trials if trial.has_result]
    best = best_accuracies(resulted, study.config.trainer.epochs, record.started.data["classes"])
    values = {trial.started.trial_id: value for trial, value in zip(resulted, best, strict=True)}
    return [
        _frozen(trial, study.cell_at(trial.started.cell), values.get(trial.started.trial_id), parameters)
        for trial in trials
    ]


def _frozen(trial: TrialRecord, cell: Cell, best: float | None, parameters: _Parameters) -> FrozenTrial:
    start = trial.started
    known = best is not None and not math.isnan(best)
    ended = TrialState.PRUNED if trial.status == "stopped" else TrialState.COMPLETE
    swept, distributions = parameters.of(cell.label, {**cell.values, **start.nuisance})
    frozen = create_trial(
        state=ended if known else TrialState.FAIL,
        value=best if known else None,
        params=swept,
        distributions=distributions,
        user_attrs={
            **{"trial_id": start.trial_id, "block": start.block, "seed": start.seed, "status": trial.status},
            **({} if trial.rung is None else {"rung": trial.rung}),
        },
        intermediate_values={row["epoch"]: row["val_acc"] for row in trial.rows if row["val_acc"] is not None},
    )
    wall = trial.rows[-1].get("wall") if trial.rows else None
    frozen.datetime_start = datetime.fromtimestamp(start.time)
    frozen.datetime_complete = frozen.datetime_start + timedelta(seconds=wall or 0.0)
    return frozen


def _write_anew(name: str, trials: Sequence[FrozenTrial], path: Path) -> None:
    with write_whole(path) as temporary:
        storage = optuna.storages.RDBStorage(f"sqlite:///{temporary}")
        optuna.create_study(study_name=name, storage=storage, direction="maximize")
        storage.engine.dispose()
        _insert(temporary, trials)
        # What a process that was killed while it wrote has left would be taken for a part of the new file.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _added(path: Path, trials: Sequence[FrozenTrial]) -> bool:
    """Add trials to the file; False, and nothing added, where it is not as it was left."""
    try:
        _insert(path, trials)
    except sqlite3.Error:
        return False
    return True


def _insert(path: Path, trials: Sequence[FrozenTrial]) -> None:
    """Add trials in one transaction, in Optuna's own tables.

    Optuna's `add_trials` takes 28 ms of processor time for a trial of 41 evaluations, on the driver that all workers
    wait for; this takes a fiftieth of that.
    """
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as connection, connection:
        for trial in trials:
            _insert_one(connection, trial)


def _insert_one(connection: sqlite3.Connection, trial: FrozenTrial) -> None:
    trial_id = connection.execute(
        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete) "
        "SELECT count(*), (SELECT study_id FROM studies), ?, ?, ? FROM trials",
        (trial.state.name, str(trial.datetime_start), str(trial.datetime_complete)),
    ).lastrowid
    if trial.value is not None:
        connection.execute(
            "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, 0, ?, 'FINITE')",
            (trial_id, trial.value),
        )
    connection.executemany(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
        [
            (trial_id, name, found.to_internal_repr(trial.params[name]), distribution_to_json(found))
            for name, found in trial.distributions.items()
        ],
    )
    connection.executemany(
        "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?, ?, ?)",
        [(trial_id, key, json.dumps(value)) for key, value in trial.user_attrs.items()],
    )
    connection.executemany(
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) "
        "VALUES (?, ?, ?, ?)",
        [
            (trial_id, epoch, *((None, "NAN") if math.isnan(accuracy) else (accuracy, "FINITE")))
            for epoch, accuracy in trial.intermediate_values.items()
        ],
    )
