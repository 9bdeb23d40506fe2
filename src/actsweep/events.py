"""What happens in a study, as plain values: written to the ledger, and handed in the same form to every subscriber.

Subscribers (progress display, tracker) know these events and nothing of what produced them, so that a recorded study
can be replayed to any of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from actsweep.space import Value
from actsweep.study import Phase

Row = Mapping[str, Any]


@dataclass(frozen=True)
class StudyStarted:
    """A study begins.

    Attributes:
        name: the study's name.
        data: what the trials are trained on: `label`, `fingerprint` and `classes` (a count).
        versions: version by package.
        time: seconds since the epoch, as in every event.
    """

    kind: ClassVar[str] = "study_started"
    name: str
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    time: float


@dataclass(frozen=True)
class StudyResumed:
    """A new driver goes on with a study, of which `finished` trials need not run again."""

    kind: ClassVar[str] = "resumed"
    finished: int
    time: float


@dataclass(frozen=True)
class TrialStarted:
    """A trial begins its attempt number `attempt` (from 1); what an earlier attempt reported no longer counts."""

    kind: ClassVar[str] = "trial_started"
    trial_id: str
    attempt: int
    phase: Phase
    block: int
    seed: int
    cell: Mapping[str, Value]
    nuisance: Mapping[str, Value]
    time: float


@dataclass(frozen=True)
class Evaluation:
    """One row of a trial's curve."""

    kind: ClassVar[str] = "evaluation"
    trial_id: str
    attempt: int
    row: Row
    time: float


@dataclass(frozen=True)
class TrialFinished:
    """A trial came to its end: `status` is completed or diverged, `final` holds what is measured once, at the end."""

    kind: ClassVar[str] = "finished"
    trial_id: str
    attempt: int
    status: str
    final: Row
    time: float


@dataclass(frozen=True)
class TrialFailed:
    """An attempt ended without a result.

    Attributes:
        reason: error (the trial's own) or lost (its process or node).
        message: the last line of the error.
        will_retry: whether another attempt follows.
    """

    kind: ClassVar[str] = "failed"
    trial_id: str
    attempt: int
    reason: str
    message: str
    will_retry: bool
    time: float


@dataclass(frozen=True)
class StepCost:
    """Milliseconds of one training step of a replicate's arm, measured for its unit after all trials had ended."""

    kind: ClassVar[str] = "step_cost"
    trial_id: str
    step_ms: float
    time: float


@dataclass(frozen=True)
class StudyFinished:
    """Every trial of the study has ended."""

    kind: ClassVar[str] = "study_finished"
    time: float


Event = StudyStarted | StudyResumed | TrialStarted | Evaluation | TrialFinished | TrialFailed | StepCost | StudyFinished
Subscriber = Callable[[Event], None]

EVENT_TYPES: Mapping[str, type[Event]] = {
    event.kind: event
    for event in (
        StudyStarted,
        StudyResumed,
        TrialStarted,
        Evaluation,
        TrialFinished,
        TrialFailed,
        StepCost,
        StudyFinished,
    )
}


@dataclass
class TrialRecord:
    """What is known of a trial from its events.

    Attributes:
        status: running, completed, diverged, failed, or waiting (for another attempt).
        rows: the evaluations of the latest attempt, in the order of their epochs.
        final: what was measured at the end.
        message: why it failed.
        step_ms: what a training step of its arm cost, once measured.
    """

    started: TrialStarted
    status: str = "running"
    rows: list[Row] = field(default_factory=list)
    final: Row = field(default_factory=dict)
    message: str = ""
    step_ms: float | None = None

    @property
    def has_result(self) -> bool:
        """Whether the trial came to its end and need not run again."""
        return self.status in ("completed", "diverged")

    @property
    def ended(self) -> bool:
        """Whether the trial has a result or failed for good."""
        return self.has_result or self.status == "failed"


@dataclass
class StudyRecord:
    """The state of a study, folded from its events one by one."""

    started: StudyStarted | None = None
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    finished: bool = False

    def __call__(self, event: Event) -> None:
        """Take in one event; events of an outdated attempt change nothing."""
        match event:
            case StudyStarted():
                self.started = event
            case StudyResumed():
                self.finished = False
                for trial in self.trials.values():
                    trial.status = "waiting" if trial.status == "running" else trial.status
            case StudyFinished():
                self.finished = True
            case TrialStarted():
                self.trials[event.trial_id] = TrialRecord(event)
            case StepCost():
                self.trials[event.trial_id].step_ms = event.step_ms
            case _:
                record = self.trials[event.trial_id]
                if event.attempt == record.started.attempt:
                    _end_or_extend(record, event)


def _end_or_extend(record: TrialRecord, event: Evaluation | TrialFinished | TrialFailed) -> None:
    match event:
        case Evaluation():
            record.rows.append(event.row)
        case TrialFinished():
            record.status, record.final = event.status, event.final
        case TrialFailed():
            record.status, record.message = "waiting" if event.will_retry else "failed", event.message
