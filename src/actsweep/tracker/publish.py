"""A study's runs, brought to W&B as a whole: what is there is read back, and what is not is sent from the ledger."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    Row,
    StudyStarted,
    TrialEnd,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records import OpenedStudy, StudyFolder
from actsweep.study import Study
from actsweep.tracker.client import Client, StoredRun, prepare_environment
from actsweep.tracker.description import RunDescription, describe, end_summary, recorded, study_key
from actsweep.tracker.faults import fault_of
from actsweep.tracker.login import require_login
from actsweep.tracker.sweep_file import study_sweep


@dataclass(frozen=True)
class _Attempt:
    """An attempt that has ended: its run, its evaluations, and how it ended."""

    run: RunDescription
    rows: Sequence[Row]
    end: TrialEnd


@dataclass(frozen=True)
class Published:
    """What came of publishing.

    Attributes:
        runs: how many runs the study has, one for each attempt that has ended.
        sent: how many of them were sent now.
        missing: what W&B does not have even so, one line each.
        url: where W&B shows them together; empty where that is not known.
    """

    runs: int
    sent: int
    missing: tuple[str, ...]
    url: str


def publish(folder: StudyFolder, opened: OpenedStudy, step: Callable[[str, int, int], None]) -> Published:
    """Send what W&B does not have of a study's ended attempts, and read all of it back.

    Doing so again sends nothing twice: a run that is whole is left alone, and one whose last rows are missing gets
    those.

    Args:
        folder: the study's.
        opened: the study as it was read from there.
        step: told how far it is: what is done, how many of them are done, of how many.

    Raises:
        RequestError: there is no key to send anything with.
        RecordsError: the study has not begun.
    """
    settings = opened.config.tracker.model_copy(update={"name": "wandb_online"})
    require_login(settings)
    if opened.record.started is None:
        raise RecordsError(f"{folder.path}: no trial has begun yet, so there is nothing to publish")
    prepare_environment()
    study = Study(opened.recorded.model_copy(update={"tracker": settings}))
    publisher = _Publisher(study, opened.record.started, Client(settings, folder.path))
    publisher.client.find_sweep()
    attempts = list(_attempts(study, study_key(opened.record.started), opened.content.events))
    try:
        wanting = [one for one in _told(attempts, "reading", step) if publisher.lacking(one)]
        faults = publisher.send(_told(wanting, "sending", step)) if wanting else {}
        lacking = {one.run.run_id: publisher.lacking(one) for one in _told(wanting, "reading back", step)}
    finally:
        publisher.client.close()
    missing = [f"{run_id}: {faults.get(run_id) or what}" for run_id, what in lacking.items() if what]
    sweep = publisher.client.sweep
    return Published(len(attempts), len(wanting), tuple(missing), sweep.url if sweep is not None else "")


class _Publisher:
    """Sends runs, and reads them back."""

    def __init__(self, study: Study, started: StudyStarted, client: Client) -> None:
        self.client = client
        self._study = study
        self._started = started

    def send(self, attempts: Iterable[_Attempt]) -> dict[str, str]:
        """Send what is missing of each; what went wrong, by run."""
        fault = fault_of(lambda: self.client.begin_sweep(study_sweep(self._study)))
        faults = {}
        for one in attempts:
            faults[one.run.run_id] = fault or fault_of(partial(self._send, one))
        return faults

    def _send(self, attempt: _Attempt) -> None:
        there = self.client.read(attempt.run.run_id)
        known = len(there.rows) if there is not None else 0
        if there is not None and not _same_rows(attempt.rows[:known], there.rows):
            raise RecordsError("W&B has other rows than the ledger; what is there is left as it is")
        run = self.client.open(attempt.run, resumed=there is not None)
        for row in attempt.rows[known:]:
            run.log(row)
        epochs, classes = self._study.config.trainer.epochs, self._started.data["classes"]
        failed = isinstance(attempt.end, TrialFailed)
        run.finish(end_summary(epochs, classes, attempt.rows, attempt.end), failed=failed)

    def lacking(self, attempt: _Attempt) -> str:
        """What W&B does not have of a run, in a few words; empty where it has all."""
        found: list[StoredRun | None] = []
        fault = fault_of(lambda: found.append(self.client.read(attempt.run.run_id)))
        if fault:
            return fault
        (run,) = found
        if run is None:
            return "it is not there"
        if not _same_rows(attempt.rows, run.rows):
            return f"{len(run.rows)} of {len(attempt.rows)} rows are there, or they differ"
        if "status" not in run.summary:
            return "its summary is not there"
        sweep = self.client.sweep
        return f"it is not in the sweep {sweep.id}" if sweep is not None and run.sweep != sweep.id else ""


def _attempts(study: Study, key: str, events: Iterable[Event]) -> Iterator[_Attempt]:
    """The attempts that have ended, in the order of their ends."""
    running: dict[tuple[str, int], tuple[RunDescription, list[Row]]] = {}
    for event in events:
        match event:
            case TrialStarted():
                running[event.trial_id, event.attempt] = describe(study, key, event), []
            case Evaluation():
                running[event.trial_id, event.attempt][1].append(recorded(event.row))
            case TrialFinished() | TrialStopped() | TrialFailed():
                yield _Attempt(*running.pop((event.trial_id, event.attempt)), event)
            case _:
                pass


def _told(attempts: Sequence[_Attempt], what: str, step: Callable[[str, int, int], None]) -> Iterator[_Attempt]:
    for done, one in enumerate(attempts):
        step(what, done, len(attempts))
        yield one
    step(what, len(attempts), len(attempts))


def _same_rows(wanted: Sequence[Row], found: Sequence[Mapping[str, Any]]) -> bool:
    return len(wanted) == len(found) and all(
        all(_same(value, there.get(name)) for name, value in row.items())
        for row, there in zip(wanted, found, strict=True)
    )


def _same(value: object, there: object) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return True  # W&B has texts of its own for these, which differ by where they are read
    return value == there
