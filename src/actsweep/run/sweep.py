"""A sweep from its configuration to its results: prepare the data, connect, run what is left, rebuild the results."""

import errno
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from actsweep.cluster import access_notes, check_nodes, cluster_resources, connected, ended_with_ray, told_when_full
from actsweep.data import Source
from actsweep.errors import Interrupted
from actsweep.events import StudyExtended, StudyFinished, StudyRecord, StudyResumed, StudyStarted, Subscriber
from actsweep.plugins import refuse_working_folder
from actsweep.records import EventStream, Ledger, LedgerContent, OpenedStudy, Results, StudyFolder
from actsweep.report.terminal.progress import Progress
from actsweep.run.data import prepared
from actsweep.run.disk import refuse_small_disk
from actsweep.run.ending import last_words, stopped, way_on
from actsweep.run.folder import made_folder, nothing_left
from actsweep.run.request import Request, additions, refuse_missing_storage, refuse_other_data
from actsweep.run.tracking import tracking
from actsweep.settings import ClusterSettings, StudyConfig
from actsweep.studies.results import outcome_of, rebuilt
from actsweep.study import Change, Study
from actsweep.system.halt import Halt
from actsweep.system.signals import halting, ignore, interrupting
from actsweep.system.surroundings import surroundings
from actsweep.tracker import Tracker, require_login

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
            return _swept(folder, Request(config, extend, known), console, debug=debug)
        except (KeyboardInterrupt, SystemExit) as end:
            if isinstance(end, SystemExit) and end.code != signal.SIGTERM:  # Ray makes one of it while it starts
                raise
            ignore()
            raise Interrupted(f"interrupted; {way_on(folder)}") from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            ignore()
            where = error.filename or folder.path
            raise Interrupted(f"stopped: {where}: {error.strerror}; {way_on(folder)}") from error


def _swept(folder: StudyFolder, request: Request, console: Console, *, debug: bool) -> Results:
    refuse_working_folder()
    config = request.config
    refuse_missing_storage(config)
    asked = Study(config)
    seen, _ = additions(folder, request)
    require_login(config.tracker)
    source = prepared(asked)
    study = Study(config, source.fingerprint)
    known = seen.content if seen else None
    with ExitStack() as stack:
        tracked = None
        with made_folder(folder), Ledger(folder.ledger, known) as ledger, nothing_left(folder):
            # Once more, now that no other process can write there.
            opened, added = additions(folder, replace(request, known=ledger.content))
            record = opened.record if opened else StudyRecord()
            refuse_other_data(record, source, folder)
            failed = any(trial.status == "failed" for trial in record.trials.values())
            if added or failed or not record.finished or opened is None:
                refuse_small_disk(study, source, record)
                tracked = stack.enter_context(tracking(study, folder, console))
                _run(study, source, folder, ledger, _Context(console, added, debug, tracked))
                opened = None  # it has grown
            else:
                _make_good(folder, study, opened)
                if opened.config.tracker != config.tracker:
                    console.print(_no_change_of_tracker(folder), style="yellow", markup=False, soft_wrap=True)
        _say(folder, console, "writing results and report")
        computed = rebuilt(folder, opened)
        if tracked is not None:
            tracked.conclude(outcome_of(folder, computed))
    return computed.results


def _say(folder: StudyFolder, console: Console, what: str) -> None:
    console.print(f"{folder.path.name}: {what}", markup=False, soft_wrap=True)


def _no_change_of_tracker(folder: StudyFolder) -> str:
    return (
        f"{folder.path} has ended, so that other tracker settings change nothing; to send it to another project: "
        f"actsweep publish {folder.path} --project P --entity E"
    )


def _make_good(folder: StudyFolder, study: Study, opened: OpenedStudy) -> None:
    """Make anew what the folder of a study that has ended lacks."""
    if opened.problem:
        folder.write_config(study.config)
    if not folder.optuna.exists():
        from actsweep.search import Mirror  # loads Ray

        Mirror(study, folder, opened.record).close()


@dataclass(frozen=True)
class _Context:
    """How a study is run: where notes go, what is added to it, whether Ray's messages are let through, who follows."""

    console: Console
    added: tuple[Change, ...]
    debug: bool
    tracked: Tracker | None

    def tell(self, note: str) -> None:
        """Show a line that needs the user's attention."""
        self.console.print(note, style="yellow", markup=False)


def _run(study: Study, source: Source, folder: StudyFolder, ledger: Ledger, context: _Context) -> None:
    halt = Halt()
    cluster = study.config.cluster
    own = cluster.name == "local"
    with ExitStack() as stack:
        slots = _connected(stack, cluster, folder, halt, context)
        # Only here, since Ray reads its environment when it is imported.
        from actsweep.search import Mirror, drop_resume_checkpoint, measure_costs, run_trials
        from actsweep.worker.images import shared_images
        from actsweep.worker.remote_trials import files_brought

        if not own:
            stack.enter_context(shared_images(source))
        progress = stack.enter_context(Progress(study, context.console))
        progress.replay(ledger.content.events)
        mirror = Mirror(study, folder, ledger.content.fold())
        subscribers: list[Subscriber] = [drop_resume_checkpoint(folder), progress, mirror]
        stream = EventStream(ledger, [*subscribers, *([context.tracked] if context.tracked is not None else [])])
        _announce(stream, study, source, context.added)
        folder.write_config(study.config)
        with (
            files_brought(study, stream, folder, halt) as address,
            nullcontext() if own else told_when_full(cluster.resources, stream.record.is_busy, context.tell),
        ):
            run_trials(study, source, folder, stream, halt, slots, address)
        mirror.close()
        if study.config.study.measure_cost and not halt.is_set():
            measure_costs(study, source, stream, halt, partial(_say, folder, context.console))
        if not halt.is_set():
            stream(StudyFinished(time.time()))
    if halt.is_set():
        ignore()
        if halt.reason and context.tracked is not None:
            context.tracked.fail(halt.reason)
        raise Interrupted(stopped(halt, folder))


def _connected(stack: ExitStack, cluster: ClusterSettings, folder: StudyFolder, halt: Halt, context: _Context) -> int:
    """Connect to Ray until the stack ends; how many trials can run at a time."""
    own = cluster.name == "local"
    stack.enter_context(halting(halt))
    for note in access_notes(cluster.address):
        context.tell(note)
    if own:
        _say(folder, context.console, "starting Ray")
    slots = stack.enter_context(connected(cluster, debug=context.debug, told=context.tell)).slots
    stack.enter_context(ended_with_ray(halt, lambda: last_words(halt, folder), own=own))
    stack.enter_context(halting(halt))  # once more: Ray has put a handler of its own in the place of SIGTERM's
    if not own:
        check_nodes(cluster.checkpoints or str(folder.path))
    return slots


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
