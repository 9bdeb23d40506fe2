"""A sweep from its configuration to its results: prepare the data, connect, run what is left, rebuild the results."""

import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from actsweep.cluster import connected
from actsweep.data import Source, prepare
from actsweep.errors import Interrupted, RequestError
from actsweep.events import StudyFinished, StudyRecord, StudyResumed, StudyStarted, Subscriber
from actsweep.records import EventStream, Ledger, StudyFolder
from actsweep.report.progress import Progress
from actsweep.results import Results, rebuild
from actsweep.settings import StudyConfig
from actsweep.study import Study, changed_settings
from actsweep.tracker import Tracker, tracker

TRACKER_SECONDS = 60.0
_PACKAGES = ("actsweep", "torch", "pytorch-lightning", "ray", "optuna", "numpy")


def run_sweep(config: StudyConfig, console: Console, *, debug: bool = False) -> Results:
    """Run what a study still lacks, and rebuild its results.

    Args:
        config: the study; a folder of its name that holds the same study is continued.
        console: for progress and notes.
        debug: let Ray's own messages through.

    Raises:
        RequestError: the folder holds a study of other settings or data, or the request cannot be met.
        RecordsError: the folder is in use, or damaged.
        Interrupted: the user stopped it; what has ended is kept.
    """
    study = Study(config)
    folder = StudyFolder(Path(config.run.root) / config.run.name)
    _refuse_other_study(folder, config)
    source = _prepared(study)
    with _folder_of(folder), Ledger(folder.ledger) as ledger:
        record = ledger.content.fold()
        _refuse_other_study(folder, config)  # once more, now that no other process can write there
        _refuse_other_data(record, source, folder)
        if not record.finished or any(trial.status == "failed" for trial in record.trials.values()):
            _run(study, source, folder, ledger, console, debug)
    return rebuild(folder)


@contextmanager
def _folder_of(folder: StudyFolder) -> Iterator[None]:
    """The study's folder, made where it is missing, and taken away again where nothing came of the request."""
    missing = [path for path in (folder.path, *folder.path.parents) if not path.exists()]
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if missing and not folder.config_file.exists():
            shutil.rmtree(missing[-1], ignore_errors=True)


def _prepared(study: Study) -> Source:
    """Every way in which the study splits its data is tried before any trial runs."""
    for settings in study.data_settings:
        prepare(settings)
    return prepare(study.config.data)


def _run(study: Study, source: Source, folder: StudyFolder, ledger: Ledger, console: Console, debug: bool) -> None:
    with ExitStack() as stack:
        stop = stack.enter_context(_stop_on_signals())
        stack.enter_context(connected(study.config.cluster, debug=debug))
        from actsweep.search import measure_costs, run_trials, write_mirror  # Ray reads its environment when imported

        folder.write_config(study.config)
        tracked = tracker(study, folder)
        stack.callback(_close, tracked, console)
        progress = stack.enter_context(Progress(study, console))
        progress.replay(ledger.content.events)
        subscribers: list[Subscriber] = [progress] if tracked is None else [progress, tracked]
        stream = EventStream(ledger, subscribers)
        _announce(stream, study, source)
        run_trials(study, source, folder, stream, stop)
        write_mirror(study, stream.record, folder)
        if study.config.study.measure_cost and not stop.is_set():
            measure_costs(study, source, stream, stop)
        if not stop.is_set():
            stream(StudyFinished(time.time()))
    if stop.is_set():
        raise Interrupted(f"stopped; what has ended is kept. To go on: actsweep resume {folder.path}")


def _announce(stream: EventStream, study: Study, source: Source) -> None:
    if stream.record.started is None:
        data = {"label": source.label, "fingerprint": source.fingerprint, "classes": len(source.classes)}
        versions = {package: version(package) for package in _PACKAGES}
        stream(StudyStarted(study.config.run.name, data, versions, time.time()))
    else:
        finished = sum(trial.has_result for trial in stream.record.trials.values())
        stream(StudyResumed(finished, time.time()))


def _close(tracked: Tracker | None, console: Console) -> None:
    if tracked is not None:
        for problem in tracked.close(TRACKER_SECONDS).problems:
            console.print(f"W&B: {problem}", style="yellow", markup=False)


def _refuse_other_study(folder: StudyFolder, config: StudyConfig) -> None:
    if not folder.config_file.exists():
        return
    changes = changed_settings(folder.read_config(), config)
    if changes:
        raise RequestError(
            f"{folder.path} holds a study of the same name with other settings:\n"
            + "\n".join(f"  {path}: {before!r} there, {now!r} asked" for path, before, now in changes)
            + "\nGive the new study a name of its own (run.name=...), or ask for the settings of the old one."
        )


def _refuse_other_data(record: StudyRecord, source: Source, folder: StudyFolder) -> None:
    if record.started is not None and record.started.data["fingerprint"] != source.fingerprint:
        raise RequestError(
            f"{folder.path} holds a study on other images than those found now "
            f"({record.started.data['label']} there, {source.label} now); give the new study a name: run.name=..."
        )


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second SIGINT leaves at once."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    numbers: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask_to_stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
