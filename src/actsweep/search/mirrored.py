"""Whether the mirror of a study can be read with Optuna, and holds what the study's records give."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any
from urllib.parse import quote

import optuna
from optuna.trial import FrozenTrial

from actsweep.events import StudyRecord
from actsweep.records import StudyFolder
from actsweep.search.mirror import mirrored_trials
from actsweep.study import Study


def mirror_problem(study: Study, folder: StudyFolder, record: StudyRecord, name: str) -> str | None:
    """What is wrong with `optuna.db`; None where nothing is.

    The mirror of a study that has not ended may be behind: then its trials need only be some of the study's.

    Args:
        study: the study.
        folder: where the file is.
        record: what has happened.
        name: what the mirrored study is called.
    """
    place = f"file:{quote(str(folder.optuna.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(place, uri=True)) as connection:
            faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
        found_name, found = _read(f"sqlite:///{place}&uri=true")
    except Exception as error:  # whatever sqlite and Optuna make of a damaged file
        return f"cannot be read: {str(error).partition(chr(10))[0] or type(error).__name__}"
    if faults != ["ok"]:
        return f"is damaged: {faults[0]}"
    if found_name != name:
        return f"mirrors the study {found_name!r}, not {name!r}"
    return _other_trials(found, mirrored_trials(study, record), record)


def _other_trials(found: Iterable[FrozenTrial], expected: Iterable[FrozenTrial], record: StudyRecord) -> str | None:
    there, should_be = _by_id(found, _said), _by_id(expected, _said)
    strangers = there.keys() - {name for name, trial in record.trials.items() if trial.started.phase == "tune"}
    if strangers:
        return f"holds the trial {min(strangers)}, which is no tune trial of this study"
    if not record.finished:
        return None
    if len(there) != len(should_be):
        return f"holds {len(there)} trials, the ledger {len(should_be)} tune trials that have ended"
    differing = [name for name in should_be if there.get(name) != should_be[name]]
    return f"trial {differing[0]} is not as in the ledger" if differing else None


def _read(address: str) -> tuple[str, list[FrozenTrial]]:
    """The one study in a file: its name, and its trials."""
    storage = optuna.storages.RDBStorage(address)
    try:
        (summary,) = storage.get_all_studies()
        return summary.study_name, storage.get_all_trials(summary._study_id)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _by_id(trials: Iterable[FrozenTrial], of: Callable[[FrozenTrial], Any]) -> dict[str, Any]:
    return {str(trial.user_attrs.get("trial_id")): of(trial) for trial in trials}


def _said(trial: FrozenTrial) -> str:
    """All that a trial says, as text, in which a NaN equals another; its start is written in local time."""
    held = (trial.params, trial.distributions, trial.user_attrs, trial.intermediate_values)
    return repr((trial.state, trial.values, trial.duration, *(sorted(one.items()) for one in held)))
