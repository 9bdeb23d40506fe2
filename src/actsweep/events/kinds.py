"""What happens in a study, as plain values: written to the ledger, and handed in the same form to every subscriber.

Subscribers (progress display, tracker) know these events and nothing of what produced them, so that a recorded study
can be replayed to any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from actsweep.space import Side, Value
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
    """A trial begins its attempt number `attempt` (from 1); what an earlier attempt reported no longer counts.

    `spared` says that no scheduler may stop it.
    """

    kind: ClassVar[str] = "trial_started"
    trial_id: str
    attempt: int
    phase: Phase
    block: int
    seed: int
    cell: Mapping[str, Value]
    nuisance: Mapping[str, Value]
    time: float
    spared: bool = False


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
