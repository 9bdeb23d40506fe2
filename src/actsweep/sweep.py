"""A sweep from its configuration to its results: prepare the data, connect, run what is left, rebuild the results."""

import errno
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from actsweep.cluster import access_notes, check_nodes, cluster_resources, connected, ended_with_ray, told_when_full
from actsweep.data import Source, prepare
from actsweep.disk import refuse_small_disk
from actsweep.errors import Interrupted, RequestError
from actsweep.events import StudyExtended, StudyFinished, StudyRecord, StudyResumed, StudyStarted, Subscriber
from actsweep.host.halt import Halt
from actsweep.host.signals import halting, ignore, interrupting
from actsweep.host.surroundings import surroundings
from actsweep.plugins import refuse_working_folder
from actsweep.records import (
    EventStream,
    Ledger,
    LedgerContent,
    OpenedStudy,
    Results,
    StudyFolder,
    holds_study,
    lock_of,
    open_study,
)
from actsweep.report.terminal.progress import Progress
from actsweep.results import outcome_of, rebuilt
from actsweep.settings import StudyConfig
from actsweep.study import Change, Extension, Study, extension
from actsweep.tracker import Tracker, require_login, tracker

TRACKER_SECONDS = 60.0
HURRIED_TRACKER_SECONDS = 3.0
_PACKAGES = ("actsweep", "torch", "pytorch-lightning", "ray", "optuna", "numpy")


def run_sweep(
    config: StudyConfig,
    console: Console,
    *,
    extend: bool = False,
    debug: bool = False,
    known: LedgerContent | None = None,
) -> Results:
    """Run what a study still lacks, and rebuild its results.

    Args:
        config: the study; a folder of its name that holds the same study is continued.
        console: for progress and notes.
        extend: whether trials may be added to the study that the folder holds: seeds, blocks, points, arms or strata.
        debug: let Ray's own messages through.
        known: what the study's ledger held when it was read before; see `read_ledger`.

    Raises:
        RequestError: the folder holds a study of other settings or data, or the request cannot be met.
        RecordsError: the folder is in use, or damaged.
        Interrupted: the user stopped it, or the disk is full; what has ended is kept, and the message says
            how to go on.
    """
    folder = StudyFolder(Path(config.run.root) / config.run.name)
    with interrupting():
        try:
            return _swept(folder, _Request(config, extend, known), console, debug=debug)
        except (KeyboardInterrupt, SystemExit) as end:
            if isinstance(end, SystemExit) and end.code != signal.SIGTERM:  # Ray makes one of it while it starts
                raise
            ignore()
            raise Interrupted(f"interrupted; {_way_on(folder)}") from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            ignore()
            where = error.filename or folder.path
            raise Interrupted(f"stopped: {where}: {error.strerror}; {_way_on(folder)}") from error


@dataclass(frozen=True)
class _Request:
    """What is asked for: a study, whether its folder's may be added to, and what is known of the ledger there."""

    config: StudyConfig
    extend: bool
    known: LedgerContent | None


def _swept(folder: StudyFolder, request: _Request, console: Console, *, debug: bool) -> Results:
    refuse_working_folder()
    config = request.config
    _refuse_missing_storage(config)
    asked = Study(config)
    seen, _ = _additions(folder, request)
    require_login(config.tracker)
    source = _prepared(asked)
    study = Study(config, source.fingerprint)
    known = seen.content if seen else None
    with ExitStack() as stack:
        tracked = None
        with _folder_of(folder), Ledger(folder.ledger, known) as ledger, _nothing_left(folder):
            # Once more, now that no other process can write there.
            opened, added = _additions(folder, replace(request, known=ledger.content))
            record = opened.record if opened else StudyRecord()
            _refuse_other_data(record, source, folder)
            failed = any(trial.status == "failed" for trial in record.trials.values())
            if added or failed or not record.finished or opened is None:
                refuse_small_disk(study, source, record)
                tracked = stack.enter_context(_tracking(study, folder, console))
                _run(study, source, folder, ledger, _Surroundings(console, added, debug, tracked))
                opened = None  # it has grown
            else:
                _make_good(folder, study, opened)
        computed = rebuilt(folder, opened)
        if tracked is not None:
            tracked.conclude(outcome_of(folder, computed))
    return computed.results


@contextmanager
def _tracking(study: Study, folder: StudyFolder, console: Console) -> Iterator[Tracker | None]:
    """The tracker that the study asks for, which gets the time that it needs, unless the user waits for an end."""
    tracked = tracker(study, folder)
    hurried = True
    try:
        yield tracked
        hurried = False
    except Interrupted:
        raise
    except Exception as error:
        hurried = False
        if tracked is not None:
            tracked.fail(str(error))
        raise
    finally:
        if tracked is not None:
            _close(tracked, folder, console, hurried=hurried)


def _refuse_missing_storage(config: StudyConfig) -> None:
    """Of a job: where a volume is not mounted, its study would be written to the driver's node, and lost with it."""
    storage = config.cluster.storage
    if storage and Path(config.run.root) == Path(storage) and not Path(storage).is_dir():
        raise RequestError(
            f"cluster.storage={storage}: the node of the driver has no such folder; mount it there, and on all nodes"
        )


def _make_good(folder: StudyFolder, study: Study, opened: OpenedStudy) -> None:
    """Make anew what the folder of a study that has ended lacks."""
    if opened.problem:
        folder.write_config(study.config)
    if not folder.optuna.exists():
        from actsweep.search import Mirror  # loads Ray

        Mirror(study, folder, opened.record).close()


@dataclass(frozen=True)
class _Surroundings:
    """How a study is run: where notes go, what is added to it, whether Ray's messages are let through, who follows."""

    console: Console
    added: tuple[Change, ...]
    debug: bool
    tracked: Tracker | None

    def tell(self, note: str) -> None:
        """Show a line that needs the user's attention."""
        self.console.print(note, style="yellow", markup=False)


@contextmanager
def _folder_of(folder: StudyFolder) -> Iterator[None]:
    """The study's folder, made where it is missing, and taken away again where nothing came of the request."""
    missing = [path for path in (folder.path, *folder.path.parents) if not path.exists()]
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it: this study, or that of a process that began at the same time
            for path in missing:
                path.rmdir()


@contextmanager
def _nothing_left(folder: StudyFolder) -> Iterator[None]:
    """Where no study came of the request, its empty ledger goes; only who holds its lock may do that."""
    try:
        yield
    finally:
        if not holds_study(folder):
            for path in (folder.ledger, lock_of(folder.ledger)):
                path.unlink(missing_ok=True)


def _prepared(study: Study) -> Source:
    """Every way in which the study splits its data is tried before any trial runs."""
    for settings in study.data_settings:
        prepare(settings)
    return prepare(study.config.data)


def _run(study: Study, source: Source, folder: StudyFolder, ledger: Ledger, around: _Surroundings) -> None:
    halt = Halt()
    with ExitStack() as stack:
        stack.enter_context(halting(halt))
        for note in access_notes(study.config.cluster.address):
            around.tell(note)
        cluster = study.config.cluster
        slots = stack.enter_context(connected(cluster, debug=around.debug, told=around.tell)).slots
        own = cluster.name == "local"
        stack.enter_context(ended_with_ray(halt, lambda: _last_words(halt, folder), own=own))
        stack.enter_context(halting(halt))  # once more: Ray has put a handler of its own in the place of SIGTERM's
        if not own:
            check_nodes(cluster.checkpoints or str(folder.path))
        # Only here, since Ray reads its environment when it is imported.
        from actsweep.search import Mirror, drop_resume_checkpoint, measure_costs, run_trials
        from actsweep.worker.images import shared_images
        from actsweep.worker.remote_trials import files_brought

        if not own:
            stack.enter_context(shared_images(source))
        progress = stack.enter_context(Progress(study, around.console))
        progress.replay(ledger.content.events)
        mirror = Mirror(study, folder, ledger.content.fold())
        subscribers: list[Subscriber] = [drop_resume_checkpoint(folder), progress, mirror]
        if around.tracked is not None:
            subscribers.append(around.tracked)
        stream = EventStream(ledger, subscribers)
        _announce(stream, study, source, around.added)
        folder.write_config(study.config)
        with (
            files_brought(study, stream, folder, halt) as address,
            nullcontext() if own else told_when_full(cluster.resources, stream.record.is_busy, around.tell),
        ):
            run_trials(study, source, folder, stream, halt, slots, address)
        mirror.close()
        if study.config.study.measure_cost and not halt.is_set():
            measure_costs(study, source, stream, halt)
        if not halt.is_set():
            stream(StudyFinished(time.time()))
    if halt.is_set():
        ignore()
        if halt.reason and around.tracked is not None:
            around.tracked.fail(halt.reason)
        raise Interrupted(_stopped(halt, folder))


def _last_words(halt: Halt, folder: StudyFolder) -> int:
    """Said by a process that cannot come to its end by itself; returns its exit code."""
    print(f"actsweep: {_stopped(halt, folder)}", file=sys.stderr, flush=True)  # noqa: T201
    return 130


def _stopped(halt: Halt, folder: StudyFolder) -> str:
    why = f"stopped: {halt.reason}" if halt.reason else "stopped"
    return f"{why}; {_way_on(folder)}"


def _way_on(folder: StudyFolder) -> str:
    """How to go on after an interruption."""
    try:
        if not holds_study(folder):
            return "the study had not begun"
        if open_study(folder).record.finished:
            return f"all trials have ended. To see what came of them: actsweep report {folder.path}"
    except RequestError:  # whatever is wrong there, resume says it
        pass
    return f"what has ended is kept. To go on: actsweep resume {folder.path}"


def _announce(stream: EventStream, study: Study, source: Source, added: Sequence[Change]) -> None:
    settings = study.config.model_dump(mode="json")
    if stream.record.started is None:
        data = {"label": source.label, "fingerprint": source.fingerprint, "classes": len(source.classes)}
        versions = {package: version(package) for package in _PACKAGES}
        around = surroundings(cluster_resources())
        stream(StudyStarted(study.config.run.name, data, versions, settings, time.time(), around))
        return
    if added:  # before the configuration is written: a look may be counted twice, but never forgotten
        stream(StudyExtended(stream.record.looks + 1, added, settings, time.time()))
    finished = sum(trial.has_result for trial in stream.record.trials.values())
    stream(StudyResumed(finished, time.time()))


def _close(tracked: Tracker, folder: StudyFolder, console: Console, *, hurried: bool) -> None:
    try:
        summary = tracked.close(HURRIED_TRACKER_SECONDS if hurried else TRACKER_SECONDS, hurried=hurried)
    except KeyboardInterrupt:  # only W&B is still waited for
        tracked.close(HURRIED_TRACKER_SECONDS, hurried=True)
        raise
    if summary.url:
        console.print(f"W&B: {summary.url}", markup=False, soft_wrap=True)
    for problem in summary.problems:
        console.print(f"W&B: {problem}", style="yellow", markup=False)
    if summary.problems:
        console.print(f"W&B: to bring all of it there: actsweep publish {folder.path}", markup=False, soft_wrap=True)


def _additions(folder: StudyFolder, request: _Request) -> tuple[OpenedStudy | None, tuple[Change, ...]]:
    """The study that the folder holds, if any, and what is added to it.

    Raises:
        RequestError: the folder holds another study, or one that trials were not to be added to, or none to extend.
    """
    folder.refuse_links()
    if not holds_study(folder):
        if request.extend:
            raise RequestError(f"--extend: {folder.path} holds no study yet, so there is nothing to add to")
        return None, ()
    opened = open_study(folder, request.known)
    difference = extension(opened.recorded, request.config)
    if difference.other or (difference.added and not request.extend):
        raise RequestError(_other_study(folder, opened.recorded, difference, request.extend))
    return opened, difference.added


def _other_study(folder: StudyFolder, before: StudyConfig, difference: Extension, extend: bool) -> str:
    changes = difference.other if extend else sorted((*difference.added, *difference.other))
    shown = "\n".join(f"  {path}: {old!r} there, {now!r} asked" for path, old, now in changes)
    name = "Give the new study a name of its own (run.name=...)"
    if extend:
        what = "seeds, blocks, points, arms and strata"
        if before.study.tune.widen:
            what = "seeds alone where ranges may widen (study.tune.widen)"
        return f"--extend can add {what}; it cannot change this in {folder.path}:\n{shown}\n{name}."
    advice = f"{name}, or ask for the settings of the old one."
    if not difference.other:
        advice = f"To add these to it: --extend. Or: {name[0].lower()}{name[1:]}."
    return f"{folder.path} holds a study of the same name with other settings:\n{shown}\n{advice}"


def _refuse_other_data(record: StudyRecord, source: Source, folder: StudyFolder) -> None:
    if record.started is not None and record.started.data["fingerprint"] != source.fingerprint:
        raise RequestError(
            f"{folder.path} holds a study on other images than those found now "
            f"({record.started.data['label']} there, {source.label} now); give the new study a name: run.name=..."
        )
