"""A study's trials through one `Tuner.fit()`, on the Ray that this process is connected to."""

import shutil
import threading
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, PlacementGroupFactory, RunConfig, Stopper

from actsweep.data import Source
from actsweep.records import EventStream, StudyFolder
from actsweep.search.callback import EventCallback, Outcomes
from actsweep.search.driver_only import DriverOnly
from actsweep.search.queue import TrialQueue
from actsweep.search.runner import TrialRunner
from actsweep.search.searcher import StudySearcher
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
    outcomes = Outcomes(study.config.trainer.epochs, len(source.classes))
    queue = TrialQueue(study, lambda trial_id: outcomes.known(stream.record, trial_id))
    handed_out: dict[str, Trial] = {}
    searcher = StudySearcher(queue, handed_out, source, folder)
    callback = EventCallback(queue, handed_out, stream, outcomes)
    try:
        _tuner(study.config.cluster, searcher, callback, _StopOnEvent(stop), folder).fit()
    finally:
        shutil.rmtree(folder.scratch, ignore_errors=True)


def _tuner(
    settings: ClusterSettings,
    searcher: StudySearcher,
    callback: EventCallback,
    stopper: Stopper,
    folder: StudyFolder,
) -> tune.Tuner:
    return tune.Tuner(
        tune.with_resources(TrialRunner, _resources(settings)),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=-1,
            max_concurrent_trials=settings.max_concurrent,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=RunConfig(
            name="tune",
            storage_path=str(folder.scratch.absolute()),
            callbacks=[callback],
            stop=stopper,
            failure_config=FailureConfig(max_failures=0),
            checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )


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
