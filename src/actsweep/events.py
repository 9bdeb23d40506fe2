"""What happens in a study, as plain values: written to the ledger, and handed in the same form to every subscriber.

Subscribers (progress display, tracker) know these events and nothing of what produced them, so that a recorded study
can be replayed to any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from actsweep.space import Side, Value
from actsweep.study import Phase

Row = Mapping[str, Any]
Place = tuple[tuple[tuple[str, Value], ...], int]  # scientific values by path, and a block


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
class StudyExtended:
    """Trials are added to a study whose results may have been seen.

    Attributes:
        look: which look at the study's results the next one will be, from 2.
        changes: what was added, as (dotted path, value before, value now).
    """

    kind: ClassVar[str] = "extended"
    look: int
    changes: Sequence[Any]
    time: float


@dataclass(frozen=True)
class RangeWidened:
    """The range of a nuisance setting grew, in every cell, since a best value lay at its edge."""

    kind: ClassVar[str] = "widened"
    path: str
    side: Side
    time: float


@dataclass(frozen=True)
class PointChosen:
    """The tuning of a cell in a block is settled: these nuisance values are the ones that its replicates get."""

    kind: ClassVar[str] = "chosen"
    cell: Mapping[str, Value]
    block: int
    nuisance: Mapping[str, Value]
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
class TrialStopped:
    """A tune trial was stopped early, by its cell's scheduler, at the rung of epoch `rung`."""

    kind: ClassVar[str] = "stopped"
    trial_id: str
    attempt: int
    rung: int
    time: float


@dataclass(frozen=True)
class StopSpared:
    """A spared tune trial goes on, where its cell's scheduler would have stopped it: at the rung of epoch `rung`."""

    kind: ClassVar[str] = "stop_spared"
    trial_id: str
    attempt: int
    rung: int
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


Event = (
    StudyStarted
    | StudyResumed
    | StudyExtended
    | RangeWidened
    | PointChosen
    | TrialStarted
    | Evaluation
    | TrialFinished
    | TrialStopped
    | StopSpared
    | TrialFailed
    | StepCost
    | StudyFinished
)
TrialEnd = TrialFinished | TrialStopped | TrialFailed
TrialEvent = TrialStarted | Evaluation | StopSpared | StepCost | TrialEnd
Subscriber = Callable[[Event], None]

EVENT_TYPES: Mapping[str, type[Event]] = {event.kind: event for event in get_args(Event)}


@dataclass
class TrialRecord:
    """What is known of a trial from its events.

    Attributes:
        status: running, completed, diverged, stopped, failed, or waiting (for another attempt).
        rows: the evaluations of the latest attempt, in the order of their epochs.
        final: what was measured at the end.
        message: why it failed.
        step_ms: what a training step of its arm cost, once measured.
        rung: the epoch at which its scheduler stopped it, or, of a spared trial, would have.
    """

    started: TrialStarted
    status: str = "running"
    rows: list[Row] = field(default_factory=list)
    final: Row = field(default_factory=dict)
    message: str = ""
    step_ms: float | None = None
    rung: int | None = None

    @property
    def has_result(self) -> bool:
        """Whether the trial came to its end and need not run again."""
        return self.status in ("completed", "diverged", "stopped")

    @property
    def ended(self) -> bool:
        """Whether the trial has a result or failed for good."""
        return self.has_result or self.status == "failed"


@dataclass
class StudyRecord:
    """The state of a study, folded from its events one by one.

    Attributes:
        looks: how often the results will have been looked at when this run of the study ends, from 1.
        widened: the ranges that grew, in order, as (dotted path, side).
        chosen: the nuisance values that the replicates of a cell and block get; see `place_of`.
    """

    started: StudyStarted | None = None
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    finished: bool = False
    looks: int = 1
    widened: list[tuple[str, Side]] = field(default_factory=list)
    chosen: dict[Place, Mapping[str, Value]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take in one event; events of an outdated attempt change nothing."""
        match event:
            case StudyStarted():
                self.started = event
            case StudyResumed():
                self.finished = False
                for trial in self.trials.values():
                    trial.status = "waiting" if trial.status == "running" else trial.status
            case StudyExtended():
                self.finished, self.looks = False, event.look
            case RangeWidened():
                self.widened.append((event.path, event.side))
            case PointChosen():
                self.chosen[place_of(event)] = event.nuisance
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

    def counts(self, trial: TrialRecord) -> bool:
        """Whether a trial belongs to the results: seeded trials do where they are at a point that is chosen now."""
        start = trial.started
        if start.phase == "tune":
            return True
        if start.phase == "replicate":
            return self.chosen.get(place_of(start)) == start.nuisance
        return any(nuisance == start.nuisance for (_, block), nuisance in self.chosen.items() if block == start.block)


def place_of(event: TrialStarted | PointChosen) -> Place:
    """The cell and block that an event belongs to."""
    return tuple(event.cell.items()), event.block


def _end_or_extend(
    record: TrialRecord, event: Evaluation | TrialFinished | TrialStopped | StopSpared | TrialFailed
) -> None:
    match event:
        case Evaluation():
            record.rows.append(event.row)
        case TrialFinished():
            record.status, record.final = event.status, event.final
        case TrialStopped():
            record.status, record.rung = "stopped", event.rung
        case StopSpared():
            record.rung = event.rung
        case TrialFailed():
            record.status, record.message = "waiting" if event.will_retry else "failed", event.message
