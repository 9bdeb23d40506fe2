"""A study's trials through one `Tuner.fit()`, on the Ray that this process is connected to."""

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, PlacementGroupFactory, RunConfig, Stopper

from actsweep.cluster import worker_request
from actsweep.data import Source
from actsweep.events import Event, PointChosen, StudyRecord, Subscriber, TrialFinished, place_of
from actsweep.records import RESUME_FILE, EventStream, StudyFolder
from actsweep.search.giving_up import GivingUp
from actsweep.search.outcomes import Outcomes
from actsweep.search.policy import FailurePolicy
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.tune.callback import EventCallback
from actsweep.search.tune.driver_only import DriverOnly
from actsweep.search.tune.hung import TrialWatch
from actsweep.search.tune.in_order import InOrder
from actsweep.search.tune.packs import Pack, Packer
from actsweep.search.tune.scheduler import CellSchedulers
from actsweep.search.tune.searcher import TuneAdapter
from actsweep.search.tuning import Announcement
from actsweep.settings import ClusterSettings
from actsweep.study import Study, Trial
from actsweep.system.halt import Halt
from actsweep.worker import TrialRunner


def run_trials(
    study: Study,
    source: Source,
    folder: StudyFolder,
    stream: EventStream,
    halt: Halt,
    slots: int,
    checkpoints: str | None = None,
) -> None:
    """Run every trial of a study that has no result yet.

    Args:
        study: the study.
        source: the prepared data.
        folder: where the trials' own folders are.
        stream: receives every event; its record says which trials need not run.
        halt: once set, no more trials are begun, running ones are ended, and the call returns; it is set here where
            the disk is full.
        slots: how many workers there are at a time.
        checkpoints: the address of trials' files, where workers do not see the folder.
    """
    record = stream.record
    outcomes = Outcomes(study, len(source.classes))
    giving_up = GivingUp(study, stream)

    def known(trial: Trial) -> Outcome | None:
        outcome = outcomes.known(record, trial.trial_id)
        return Outcome(None) if outcome is None and giving_up.skips(trial) else outcome

    queue = TrialQueue(study, known, _Announcer(stream))
    packs: dict[str, Pack] = {}
    schedulers = _schedulers(study, packs, stream.history)
    alone: set[str] = set()
    stoppable = schedulers.may_stop if schedulers else lambda trial: False
    packer = Packer(study, queue, record, slots, stoppable, alone)
    side_by_side = study.config.cluster.side_by_side
    searcher = TuneAdapter(queue, packer, packs, source, folder, record, side_by_side, checkpoints)
    policy = FailurePolicy(study.config.cluster.retries, alone, stream, giving_up, halt)
    callback = EventCallback(queue, packer, packs, stream, outcomes, schedulers, policy, TrialWatch())
    shutil.rmtree(folder.scratch, ignore_errors=True)  # what a driver that was killed left
    try:
        _tuner(study.config.cluster, folder, searcher, schedulers, callback, halt).fit()
    except Exception as error:
        said = _of_the_system(error)
        if said is None:
            raise
        halt.because(said)
    finally:
        shutil.rmtree(folder.scratch, ignore_errors=True)
        _drop_resume_checkpoints(record, folder)


def _tuner(
    settings: ClusterSettings,
    folder: StudyFolder,
    searcher: TuneAdapter,
    schedulers: CellSchedulers | None,
    callback: EventCallback,
    halt: Halt,
) -> tune.Tuner:
    tune_config = tune.TuneConfig(
        search_alg=searcher,
        scheduler=schedulers or InOrder(),
        num_samples=-1,
        max_concurrent_trials=_most_workers(settings),
        reuse_actors=True,
        trial_dirname_creator=lambda trial: str(trial.trial_id),
    )
    run_config = RunConfig(
        name="tune",
        storage_path=str(folder.scratch.absolute()),
        callbacks=[callback],
        stop=_StopOnHalt(halt, folder.halt),
        failure_config=FailureConfig(max_failures=0),
        checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
        verbose=0,
    )
    trainable = tune.with_resources(TrialRunner, partial(_resources, settings))
    return tune.Tuner(trainable, tune_config=tune_config, run_config=run_config)


def _of_the_system(error: Exception) -> str | None:
    """What the operating system refused to the driver, as on a full disk; None where it was something else.

    What goes wrong where Tune handles an event comes out as the text of a traceback.
    """
    if isinstance(error, OSError):
        return str(error)
    found = re.findall(r"^\w+Error: (\[Errno \d+\] .+)$", str(error), flags=re.MULTILINE)
    return found[-1] if found else None


def drop_resume_checkpoint(folder: StudyFolder) -> Subscriber:
    """Removes what a trial goes on from, once the ledger has the trial's end: a driver killed before needs it still."""

    def drop(event: Event) -> None:
        if isinstance(event, TrialFinished):
            _drop(folder, event.trial_id)

    return drop


def _drop_resume_checkpoints(record: StudyRecord, folder: StudyFolder) -> None:
    """Those of trials that were stopped when their workers had no other trial to go on to."""
    for trial_id, trial in record.trials.items():
        if trial.has_result:
            _drop(folder, trial_id)


def _drop(folder: StudyFolder, trial_id: str) -> None:
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


def _schedulers(study: Study, packs: Mapping[str, Pack], history: Iterable[Event]) -> CellSchedulers | None:
    if study.config.scheduler.name == "none":
        return None
    schedulers = CellSchedulers(study, packs)
    schedulers.refill(history)
    return schedulers


def _most_workers(settings: ClusterSettings) -> int | None:
    most = settings.max_concurrent
    return None if most is None else max(1, most // settings.side_by_side)


def _resources(settings: ClusterSettings, pack: Mapping[str, Any]) -> PlacementGroupFactory:
    return PlacementGroupFactory([worker_request(settings.resources, whole_gpu=pack["alone"])])


class _StopOnHalt(DriverOnly, Stopper):
    def __init__(self, halt: Halt, file: Path) -> None:
        self._halt = halt
        self._file = file

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        if self._halt.is_set():
            with suppress(OSError):  # on a full disk trials end after their epoch
                self._file.touch()
        return self._halt.is_set()
