"""A study's runs, brought to W&B as a whole: what is there is read back, and what is not is sent from the ledger."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from actsweep.errors import NoAnswerError, RecordsError, RequestError
from actsweep.events import (
    Evaluation,
    Row,
    StudyStarted,
    TrialEnd,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records import OpenedStudy, StudyFolder, is_held
from actsweep.settings import TrackerSettings, validated
from actsweep.study import Study
from actsweep.tracker.client import Client, prepare_environment
from actsweep.tracker.description import RunDescription, describe, end_summary, history_row, study_key
from actsweep.tracker.faults import fault_of
from actsweep.tracker.login import require_key
from actsweep.tracker.outcome import StudyOutcome
from actsweep.tracker.published.dashboard import Place, save_views, saved_report, views_show
from actsweep.tracker.stored import add_to_summary, read_run
from actsweep.tracker.study_run import lacking_outcome, show_outcome
from actsweep.tracker.sweeps.sweep_file import study_sweep

MOST_UNANSWERED = 2  # in a row; wandb itself has tried each for half a minute
Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Attempt:
    """An attempt that has ended: its run, its evaluations, and what it came to."""

    run: RunDescription
    rows: Sequence[Row]
    summary: Mapping[str, Any]
    failed: bool


@dataclass(frozen=True)
class Published:
    """What came of publishing.

    Attributes:
        runs: how many runs the study has, one for each attempt that has ended, and one of its own.
        sent: how many of them were sent now, or added to.
        missing: what W&B does not have even so, one line each.
        urls: where W&B shows them together, and what they came to; as far as that is known.
    """

    runs: int
    sent: int
    missing: tuple[str, ...]
    urls: tuple[str, ...]


def publish(
    folder: StudyFolder,
    opened: OpenedStudy,
    outcome: StudyOutcome | None,
    step: Step,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> Published:
    """Send what W&B does not have of a study's ended attempts and of what it came to, and read all of it back.

    Doing so again sends nothing twice: a run that is whole is left alone, and one whose last rows are missing gets
    those. Runs that a sweep sends itself at this moment are only read.

    Args:
        folder: the study's.
        opened: the study as it was read from there.
        outcome: what it came to so far; None where there is nothing to compare yet.
        step: told how far it is: what is done, how many of them are done, of how many.
        elsewhere: `project` and `entity`, where they are to be others than the study's, this time only.

    Raises:
        RequestError: there is no key to send anything with, or the sweep runs, which sends to its own project.
        RecordsError: the study has not begun.
        NoAnswerError: W&B does not answer.
    """
    tracker = opened.config.tracker
    asked = {**tracker.model_dump(), "name": "wandb_online", "alert": False, **elsewhere}
    settings = validated(TrackerSettings, asked)
    require_key("publish")
    if opened.record.started is None:
        raise RecordsError(f"{folder.path}: no trial has begun yet, so there is nothing to publish")
    prepare_environment()
    study = Study(opened.recorded.model_copy(update={"tracker": settings}))
    client = Client(settings, folder.path)
    sending = is_held(folder.ledger) and tracker.name == "wandb_online"
    if sending and (settings.project, settings.entity) != (tracker.project, tracker.entity):
        raise RequestError(
            f"--project, --entity: {folder.path} is running, and sends to tracker.project={tracker.project}; "
            "publish it elsewhere when it has ended"
        )
    publisher = _Publisher(study, client, sending=sending)
    client.find_sweep()
    attempts = list(_attempts(study, opened.record.started, opened, outcome))
    try:
        runs = publisher.bring_runs(attempts, step)
        whole = publisher.bring_outcome(outcome, step) if outcome is not None else _Brought(0, 0, ())
    finally:
        client.close()
    urls = (client.sweep.url if client.sweep is not None else "", saved_report(client.notes))
    missing = (*runs.missing, *whole.missing)
    return Published(runs.runs + whole.runs, runs.sent + whole.sent, missing, tuple(filter(None, urls)))


@dataclass(frozen=True)
class _Brought:
    """What came of some of the runs; see `Published`."""

    runs: int
    sent: int
    missing: Sequence[str]


class _Publisher:
    """Sends runs, and reads them back."""

    def __init__(self, study: Study, client: Client, *, sending: bool) -> None:
        self._study = study
        self._client = client
        self._sending = sending
        self._unanswered = 0
        self._fault = ""

    def bring_runs(self, attempts: Sequence[_Attempt], step: Step) -> _Brought:
        """Send what is missing of the runs of attempts.

        Raises:
            NoAnswerError: W&B could not be asked several times in a row; nothing has been sent.
        """
        wanting = []
        for one in _told(attempts, "reading", step):
            if self._lacking(one):
                wanting.append(one)
            if self._unanswered == MOST_UNANSWERED:
                raise NoAnswerError(f"W&B does not answer: {self._fault}; nothing was sent")
        if self._sending:
            still = "not there yet, or not whole; the sweep that is running sends its runs itself"
            return _Brought(len(attempts), 0, [f"{one.run.run_id}: {still}" for one in wanting])
        faults = self._send_all(_told(wanting, "sending", step)) if wanting else {}
        lacking = {one.run.run_id: self._lacking(one) for one in _told(wanting, "reading back", step)}
        missing = [f"{run_id}: {faults.get(run_id) or what}" for run_id, what in lacking.items() if what]
        return _Brought(len(attempts), len(wanting), missing)

    def bring_outcome(self, outcome: StudyOutcome, step: Step) -> _Brought:
        """Send the study's own run and its views, where they are missing or show other results.

        Views that show these results are left as they are, with what people may have changed in them.
        """
        step("the study", 0, 1)
        fault, lacking = "", self._lacking_outcome(outcome)
        sent = bool(lacking)
        if sent:
            fault = fault_of(lambda: show_outcome(self._client, self._study, outcome))
            lacking = self._lacking_outcome(outcome)
        missing = [f"the study's own run: {fault or lacking}"] * bool(lacking)
        if not views_show(outcome, self._client.notes):
            fault = fault_of(lambda: self._save_views(outcome))
            missing += [f"the views: {fault}"] * bool(fault)
        step("the study", 1, 1)
        return _Brought(1, int(sent), missing)

    def _save_views(self, outcome: StudyOutcome) -> None:
        place = Place(self._client.entity(), self._study.config.tracker.project, outcome.key)
        save_views(self._study, place, outcome, self._client.notes)

    def _lacking_outcome(self, outcome: StudyOutcome) -> str:
        found: list[str] = []
        return fault_of(lambda: found.append(lacking_outcome(self._client, outcome))) or found[0]

    def _send_all(self, attempts: Iterable[_Attempt]) -> dict[str, str]:
        """Send what is missing of each; what went wrong, by run."""
        fault = fault_of(lambda: self._client.begin_sweep(study_sweep(self._study)))
        return {one.run.run_id: fault or fault_of(partial(self._send, one)) for one in attempts}

    def _send(self, attempt: _Attempt) -> None:
        path = self._client.path(attempt.run.run_id)
        there = read_run(self._client.api(), path)
        if there is not None and _same_rows(attempt.rows, there.rows) and "status" in there.summary:
            add_to_summary(self._client.api(), path, attempt.summary)
            return
        known = len(there.rows) if there is not None else 0
        if there is not None and not _same_rows(attempt.rows[:known], there.rows):
            raise RecordsError("W&B has other rows than the ledger; what is there is left as it is")
        run = self._client.open(attempt.run, resume=None if there is None else "must")
        for row in attempt.rows[known:]:
            run.log(row)
        run.finish(attempt.summary, failed=attempt.failed)

    def _lacking(self, attempt: _Attempt) -> str:
        """What W&B does not have of a run, in a few words; empty where it has all."""
        found: list[str] = []
        self._fault = fault_of(lambda: found.append(self._difference(attempt)))
        self._unanswered = self._unanswered + 1 if self._fault else 0
        return self._fault or found[0]

    def _difference(self, attempt: _Attempt) -> str:
        run = read_run(self._client.api(), self._client.path(attempt.run.run_id))
        if run is None:
            return "it is not there"
        if not _same_rows(attempt.rows, run.rows):
            return f"{len(run.rows)} of {len(attempt.rows)} rows are there, or they differ"
        absent = [name for name, value in attempt.summary.items() if not _same(value, run.summary.get(name))]
        if absent:
            return f"its summary lacks {', '.join(absent)}, or has other values"
        sweep = self._client.sweep
        return f"it is not in the sweep {sweep.id}" if sweep is not None and run.sweep != sweep.id else ""


def _attempts(
    study: Study, started: StudyStarted, opened: OpenedStudy, outcome: StudyOutcome | None
) -> Iterator[_Attempt]:
    """The attempts that have ended, in the order of their ends."""
    running: dict[tuple[str, int], tuple[RunDescription, list[Row]]] = {}
    for event in opened.content.events:
        match event:
            case TrialStarted():
                running[event.trial_id, event.attempt] = describe(study, study_key(started), event), []
            case Evaluation():
                running[event.trial_id, event.attempt][1].append(history_row(event.row))
            case TrialFinished() | TrialStopped() | TrialFailed():
                run, rows = running.pop((event.trial_id, event.attempt))
                summary = end_summary(study.config.trainer.epochs, started.data["classes"], rows, event)
                yield _Attempt(run, rows, {**summary, **_of_study(outcome, event)}, isinstance(event, TrialFailed))
            case _:
                pass


def _of_study(outcome: StudyOutcome | None, end: TrialEnd) -> Mapping[str, Any]:
    """The keys that need the whole study; of an attempt that failed there are none."""
    if outcome is None or isinstance(end, TrialFailed):
        return {}
    return outcome.of_trials.get(end.trial_id, {})


def _told(attempts: Sequence[_Attempt], what: str, step: Step) -> Iterator[_Attempt]:
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
