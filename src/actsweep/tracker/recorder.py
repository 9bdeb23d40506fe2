"""From events to runs. A fault costs its run alone; after several runs in a row that cannot begin, a pause is made."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from actsweep.records import StudyFolder, read_ledger
from actsweep.study import Study
from actsweep.tracker.client import Client, OpenRun
from actsweep.tracker.description import describe, end_summary, history_row, study_key
from actsweep.tracker.faults import fault_of
from actsweep.tracker.outcome import StudyOutcome
from actsweep.tracker.study_run import add_study_keys, show_outcome, tell
from actsweep.tracker.sweeps.sweep_file import study_sweep
from actsweep.tracker.transaction_log import RunFile

FAILED_BEGINS = 3
PAUSE_SECONDS = 60.0  # after that many; each further one that cannot begin is followed by another
STUDY = "the study's own run"


@dataclass
class _Attempt:
    run: OpenRun
    rows: list[Row] = field(default_factory=list)


class Recorder:
    """Writes the runs of a study; no method raises.

    Attributes:
        written: runs that are whole on the disk.
        faults: (run, what went wrong), one for each run that is not.
        skipped: runs that would have begun in a pause, and were not tried.
        steps: what was done so far, to tell one who waits that it goes on.
    """

    def __init__(self, study: Study, folder: StudyFolder, client: Client) -> None:
        self.written = 0
        self.faults: list[tuple[str, str]] = []
        self.skipped = 0
        self.steps = 0
        self._study = study
        self._folder = folder
        self._client = client
        self._started: StudyStarted | None = None
        self._asked_for_sweep = study.config.tracker.name != "wandb_online"
        self._open: dict[tuple[str, int], _Attempt] = {}
        self._ended: deque[tuple[str, RunFile]] = deque()
        self._failed_begins = 0
        self._pause_until = 0.0

    def __call__(self, event: Event) -> None:
        """Take in one event; events of an attempt that has no open run change nothing."""
        self.steps += 1
        match event:
            case StudyStarted():
                self._started = event
            case TrialStarted():
                self._begin(event)
            case Evaluation() | TrialFinished() | TrialStopped() | TrialFailed():
                self._go_on(event)
            case _:
                pass

    def conclude(self, outcome: StudyOutcome) -> None:
        """Write what the study came to: its aggregates, and in the runs of its trials what needs the whole study.

        Offline the latter waits until the study is published, since a run that has ended there cannot be added to.
        """
        if self._pausing():
            self.skipped += 1
            return
        self._ensure_sweep()
        if self._study.config.tracker.name == "wandb_online":
            self._add_study_keys(outcome)
        self._of_study(lambda: show_outcome(self._client, self._study, outcome))

    def _add_study_keys(self, outcome: StudyOutcome) -> None:
        failed = 0
        for run, fault in add_study_keys(self._client, outcome):
            self.steps += 1
            if fault:
                self.faults.append((f"the study's keys of {run}", fault))
            failed = failed + 1 if fault else 0
            if failed == FAILED_BEGINS:
                return

    def tell(self, what: str, text: str) -> None:
        """Let W&B tell people what becomes of the study, where that is asked for and the study has begun at all."""
        if self._study.config.tracker.alert and self.steps and not self._pausing():
            self._of_study(lambda: tell(self._client, self._study, study_key(self._beginning()), what, text))

    def _of_study(self, write: Callable[[], RunFile]) -> None:
        self.steps += 1
        fault = fault_of(lambda: self._ended.append((STUDY, write())))
        if fault:
            self.faults.append((STUDY, fault))

    def close(self) -> None:
        """End the runs that are still open, as interrupted, and wandb with them."""
        for key in list(self._open):
            self.steps += 1
            self._end(key, lambda attempt: {"status": "interrupted"}, failed=True)
        self._client.close()
        while self._ended:
            what, file = self._ended.popleft()
            fault = fault_of(file.check)
            self.written += not fault
            if fault:
                self.faults.append((what, fault))

    def _pausing(self) -> bool:
        return time.monotonic() < self._pause_until

    def _begin(self, event: TrialStarted) -> None:
        if self._pausing():
            self.skipped += 1
            return
        self._ensure_sweep()
        key = event.trial_id, event.attempt

        def begin() -> None:
            described = describe(self._study, study_key(self._beginning()), event)
            self._open[key] = _Attempt(self._client.open(described))

        fault = fault_of(begin)
        self._failed_begins = self._failed_begins + 1 if fault else 0
        if self._failed_begins >= FAILED_BEGINS:
            self._pause_until = time.monotonic() + PAUSE_SECONDS
        self._note(key, fault)
        self._settle()

    def _ensure_sweep(self) -> None:
        """Once, before the first run; without a sweep the runs are as good as with one."""
        if not self._asked_for_sweep:
            self._asked_for_sweep = True
            fault = fault_of(lambda: self._client.begin_sweep(study_sweep(self._study)))
            if fault:
                self.faults.append(("the sweep", fault))

    def _go_on(self, event: Evaluation | TrialEnd) -> None:
        key = event.trial_id, event.attempt
        if key not in self._open:
            return
        match event:
            case Evaluation():
                self._log(key, event.row)
            case _:
                self._end(key, lambda attempt: self._summary(attempt, event), failed=isinstance(event, TrialFailed))

    def _log(self, key: tuple[str, int], row: Row) -> None:
        attempt = self._open[key]
        attempt.rows.append(row)
        fault = fault_of(lambda: attempt.run.log(history_row(row)))
        if fault:
            del self._open[key]
            self._note(key, fault)

    def _end(self, key: tuple[str, int], summary_of: Callable[[_Attempt], Mapping[str, Any]], *, failed: bool) -> None:
        attempt = self._open.pop(key)

        def end() -> None:
            self._ended.append((_named(key), attempt.run.finish(summary_of(attempt), failed=failed)))

        self._note(key, fault_of(end))

    def _settle(self) -> None:
        """Check what ended before; what is not whole yet gets its time until the end."""
        while self._ended and not fault_of(self._ended[0][1].check):
            self._ended.popleft()
            self.written += 1

    def _summary(self, attempt: _Attempt, end: TrialEnd) -> Mapping[str, Any]:
        return end_summary(self._study.config.trainer.epochs, self._beginning().data["classes"], attempt.rows, end)

    def _beginning(self) -> StudyStarted:
        if self._started is None:  # a resumed study: only its ledger has the beginning
            self._started = read_ledger(self._folder.ledger).fold().started
            if self._started is None:
                raise RecordsError(f"{self._folder.ledger} does not say how the study began")
        return self._started

    def _note(self, key: tuple[str, int], fault: str) -> None:
        if fault:
            self.faults.append((_named(key), fault))


def _named(key: tuple[str, int]) -> str:
    return f"{key[0]} attempt {key[1]}"
