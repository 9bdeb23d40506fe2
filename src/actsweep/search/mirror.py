"""The tune phase as one Optuna study in a file, for Optuna's own tools; nothing ever reads it back."""

from datetime import datetime

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from actsweep.events import StudyRecord, TrialRecord
from actsweep.records import StudyFolder, write_whole
from actsweep.search.callback import Outcomes
from actsweep.search.proposer import distribution
from actsweep.space import value_lists
from actsweep.study import PHASES, Study


def write_mirror(study: Study, record: StudyRecord, folder: StudyFolder) -> None:
    """Write `optuna.db` anew: tune trials with their states, scientific values as categorical parameters.

    Each trial's value is its best validation accuracy, its intermediate values are the accuracies by epoch, and its
    user attributes say which trial and block it is.
    """
    with write_whole(folder.optuna) as temporary:
        storage = optuna.storages.RDBStorage(f"sqlite:///{temporary}")
        mirror = optuna.create_study(study_name=study.config.run.name, storage=storage, direction="maximize")
        mirror.add_trials(_mirrored(study, record))
        storage.engine.dispose()


def _mirrored(study: Study, record: StudyRecord) -> list[FrozenTrial]:
    if record.started is None:
        return []
    outcomes = Outcomes(study.config.trainer.epochs, record.started.data["classes"])
    distributions = _distributions(study)
    tuned = [trial for trial in record.trials.values() if trial.started.phase == PHASES[0]]
    return [_trial(study, trial, distributions, outcomes) for trial in tuned if trial.ended]


def _trial(
    study: Study, trial: TrialRecord, distributions: dict[str, BaseDistribution], outcomes: Outcomes
) -> FrozenTrial:
    start, outcome = trial.started, outcomes.of_record(trial)
    swept = {study.short_names[path]: value for path, value in {**start.cell, **start.nuisance}.items()}
    mirrored = create_trial(
        state=TrialState.FAIL if outcome is None else TrialState.COMPLETE,
        value=None if outcome is None else outcome.best_val_acc,
        params=swept,
        distributions=distributions,
        user_attrs={"trial_id": start.trial_id, "block": start.block, "seed": start.seed, "status": trial.status},
        intermediate_values={row["epoch"]: row["val_acc"] for row in trial.rows},
    )
    mirrored.datetime_start = datetime.fromtimestamp(start.time)
    return mirrored


def _distributions(study: Study) -> dict[str, BaseDistribution]:
    scientific = value_lists(study.config.study.scientific, "study.scientific")
    lists = {study.short_names[path]: CategoricalDistribution(values) for path, values in scientific.items()}
    return lists | {study.short_names[dimension.path]: distribution(dimension) for dimension in study.space}
