"""A study's trials through one `Tuner.fit()`, on the Ray that this process is connected to."""

import shutil
import threading
from collections.abc import Mapping
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, PlacementGroupFactory, RunConfig, Stopper

from actsweep.data import Source
from actsweep.events import PointChosen, StudyRecord, place_of
from actsweep.records import RESUME_FILE, EventStream, StudyFolder
from actsweep.search.callback import EventCallback
from actsweep.search.driver_only import DriverOnly
from actsweep.search.outcomes import Outcomes
from actsweep.search.queue import TrialQueue
from actsweep.search.runner import TrialRunner
from actsweep.search.scheduler import CellSchedulers
from actsweep.search.searcher import StudySearcher
from actsweep.search.tuning import Announcement
from actsweep.settings import ClusterSettings
from actsweep.study import Study, Trial


def run_trials(study: Study, source: Source, folder: StudyFolder, stream: EventStream, stop: threading.Event) -> None:
    """Run every trial of a study that has no result yet.

    Args:
        study: the study.
        source: the prepared data.
        folder: where the trials' own folders are.
        stream: receives every event; its record says which trials need not run.
        stop: once set, no more trials are begun, running ones are ended, and the call returns.
    """
    record = stream.record
    outcomes = Outcomes(study, len(source.classes))
    queue = TrialQueue(study, lambda trial: outcomes.known(record, trial.trial_id), _Announcer(stream))
    handed_out: dict[str, Trial] = {}
    schedulers = _schedulers(study, handed_out, record)
    searcher = StudySearcher(queue, handed_out, source, folder, stops=schedulers is not None)
    callback = EventCallback(queue, handed_out, stream, outcomes, schedulers)
    tune_config = tune.TuneConfig(
        search_alg=searcher,
        scheduler=schedulers,
        num_samples=-1,
        max_concurrent_trials=study.config.cluster.max_concurrent,
        reuse_actors=True,
        trial_dirname_creator=lambda trial: str(trial.trial_id),
    )
    run_config = RunConfig(
        name="tune",
        storage_path=str(folder.scratch.absolute()),
        callbacks=[callback],
        stop=_StopOnEvent(stop),
        failure_config=FailureConfig(max_failures=0),
        checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
        verbose=0,
    )
    trainable = tune.with_resources(TrialRunner, _resources(study.config.cluster))
    try:
        tune.Tuner(trainable, tune_config=tune_config, run_config=run_config).fit()
    finally:
        shutil.rmtree(folder.scratch, ignore_errors=True)
        _drop_resume_checkpoints(record, folder)


def _drop_resume_checkpoints(record: StudyRecord, folder: StudyFolder) -> None:
    """Those of trials that were stopped when their workers had no other trial to go on to."""
    for trial_id, trial in record.trials.items():
        if trial.has_result:
            (folder.trial(trial_id) / RESUME_FILE).unlink(missing_ok=True)


class _Announcer:
    """Publishes what tuning comes to, but for what the record holds already, as after a resumption."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._growths = 0

    def __call__(self, event: Announcement) -> None:
        record = self._stream.record
        if isinstance(event, PointChosen):
            known = place_of(event) in record.settled and record.chosen[place_of(event)] == event.nuisance
        else:
            known = self._growths < len(record.widened)
            self._growths += 1
        if not known:
            self._stream(event)


def _schedulers(study: Study, handed_out: Mapping[str, Trial], record: StudyRecord) -> CellSchedulers | None:
    if study.config.scheduler.name == "none":
        return None
    schedulers = CellSchedulers(study, handed_out)
    schedulers.refill(record)
    return schedulers


def _resources(settings: ClusterSettings) -> PlacementGroupFactory:
    bundle = {"CPU": settings.resources.cpu, "GPU": settings.resources.gpu}
    return PlacementGroupFactory([{name: amount for name, amount in bundle.items() if amount}])


class _StopOnEvent(DriverOnly, Stopper):
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._stop.is_set()
