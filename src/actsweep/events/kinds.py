"""What happens in a study, as plain values: written to the ledger, and handed in the same form to every subscriber.

Subscribers (progress display, tracker) know these events and nothing of what produced them, so that a recorded study
can be replayed to any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field

from actsweep.study import Phase
from actsweep.study.space import Side, Value

Row = Mapping[str, Any]
FailureReason = Literal["error", "memory", "gpu_memory", "lost", "timeout", "data", "disk", "storage"]
_TEXTS = ("seconds_from",)
_COUNTS = ("epoch", "step")
_TIMES = ("wall",)
_LATEST = 2.5e11  # seconds since the epoch, in the year 9892: a calendar has no later ones
_MOST = 2**53  # up to which every whole number is exact, also as a float


@lru_cache(maxsize=1000)
def _is_special(name: str) -> bool:
    """Whether not every float will do for what is measured under a name."""
    return name.endswith("_acc") or name in (*_TEXTS, *_COUNTS, *_TIMES)


def _measured(row: Row) -> Row:
    for name, value in row.items():
        if type(value) is float and not _is_special(name):  # nearly all of them, in millions
            continue
        if isinstance(value, bool) or not isinstance(value, str if name in _TEXTS else int | float | None):
            raise ValueError(f"{name} is no number: {value!r}")
        if isinstance(value, int) and abs(value) > _MOST:
            raise ValueError(f"{name} is beyond all that is counted: over 2**53")
        if name in _COUNTS and not isinstance(value, int | None):
            raise ValueError(f"{name} is no whole number: {value!r}")
        most = 1 if name.endswith("_acc") else _LATEST if name in _TIMES else None
        if most is not None and isinstance(value, int | float) and (value < 0 or value > most):
            raise ValueError(f"{name} is out of its range: {value!r}")
    return row


def _evaluated(row: Row) -> Row:
    epoch, accuracy = row.get("epoch"), row.get("val_acc")
    if not isinstance(epoch, int) or epoch < 0 or not isinstance(accuracy, int | float):
        raise ValueError("it has no epoch, or no val_acc")
    return _measured(row)


def _described(data: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, kind in (("label", str), ("fingerprint", str), ("classes", int)):
        if not isinstance(data.get(name), kind):
            raise ValueError(f"it has no {name}")
    return data


DataDescription = Annotated[Mapping[str, Any], AfterValidator(_described)]
TrialId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Attempt = Annotated[int, Field(ge=1, le=999_999_999)]
Time = Annotated[float, Field(ge=0, le=_LATEST)]
Index = Annotated[int, Field(ge=0, lt=2**63)]
Measured = Annotated[Row, AfterValidator(_measured)]
EvaluatedRow = Annotated[Row, AfterValidator(_evaluated)]


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """A study begins.

    Attributes:
        name: the study's name.
        data: what the trials are trained on: `label`, `fingerprint` and `classes` (a count).
        versions: version by package.
        settings: the study's whole configuration, nested as in study.yaml.
        time: seconds since the epoch, as in every event.
        surroundings: what it runs on, by what a reader calls it; empty in a ledger of before this was kept.
    """

    kind: ClassVar[str] = "study_started"
    name: str
    data: DataDescription
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    time: Time
    surroundings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyResumed:
    """A new driver goes on with a study, of which `finished` trials need not run again."""

    kind: ClassVar[str] = "resumed"
    finished: int
    time: Time


@dataclass(frozen=True, slots=True)
class StudyExtended:
    """Trials are added to a study whose results may have been seen.

    Attributes:
        look: which look at the study's results the next one will be, from 2.
        changes: what was added, as (dotted path, value before, value now).
        settings: the study's whole configuration from now on.
    """

    kind: ClassVar[str] = "extended"
    look: int
    changes: Sequence[Any]
    settings: Mapping[str, Any]
    time: Time


@dataclass(frozen=True, slots=True)
class RangeWidened:
    """The range of a nuisance setting grew, in every cell, since a best value lay at its edge."""

    kind: ClassVar[str] = "widened"
    path: str
    side: Side
    time: Time


@dataclass(frozen=True, slots=True)
class PointChosen:
    """The tuning of a cell in a block is settled: these nuisance values are the ones that its replicates get."""

    kind: ClassVar[str] = "chosen"
    cell: Mapping[str, Value]
    block: Index
    nuisance: Mapping[str, Value]
    time: Time


@dataclass(frozen=True, slots=True)
class CellGivenUp:
    """No more trials of a cell are begun by this driver: all that ended have failed, and alike.

    Attributes:
        cell: the scientific values of the cell.
        failures: how many trials failed in this way.
        message: the last line of their error.
    """

    kind: ClassVar[str] = "given_up"
    cell: Mapping[str, Value]
    failures: int
    message: str
    time: Time


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A trial begins its attempt number `attempt` (from 1); what an earlier attempt reported no longer counts.

    `spared` says that no scheduler may stop it.
    """

    kind: ClassVar[str] = "trial_started"
    trial_id: TrialId
    attempt: Attempt
    phase: Phase
    block: Index
    seed: Index
    cell: Mapping[str, Value]
    nuisance: Mapping[str, Value]
    time: Time
    spared: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One row of a trial's curve."""

    kind: ClassVar[str] = "evaluation"
    trial_id: TrialId
    attempt: Attempt
    row: EvaluatedRow
    time: Time


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """A trial came to its end.

    Attributes:
        status: how; a divergence is a result.
        final: what is measured once, at the end.
        weights: SHA-256, in hex, of each file of weights in the trial's folder, by name.
    """

    kind: ClassVar[str] = "finished"
    trial_id: TrialId
    attempt: Attempt
    status: Literal["completed", "diverged"]
    final: Measured
    time: Time
    weights: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialStopped:
    """A tune trial was stopped early, by its cell's scheduler, at the rung of epoch `rung`."""

    kind: ClassVar[str] = "stopped"
    trial_id: TrialId
    attempt: Attempt
    rung: Index
    time: Time


@dataclass(frozen=True, slots=True)
class StopSpared:
    """A spared tune trial goes on, where its cell's scheduler would have stopped it: at the rung of epoch `rung`."""

    kind: ClassVar[str] = "stop_spared"
    trial_id: TrialId
    attempt: Attempt
    rung: Index
    time: Time


@dataclass(frozen=True, slots=True)
class TrialFailed:
    """An attempt ended without a result.

    Attributes:
        reason: error (the trial's own), memory (it or its worker ran out of it), gpu_memory (so did its GPU), lost (its
            process or node), timeout (it took longer than `trainer.trial_timeout`), data (an image that cannot be
            read), disk (it is full) or storage (that of the trials' files does not answer).
        message: the last line of the error.
        will_retry: whether another attempt follows.
    """

    kind: ClassVar[str] = "failed"
    trial_id: TrialId
    attempt: Attempt
    reason: FailureReason
    message: str
    will_retry: bool
    time: Time


@dataclass(frozen=True, slots=True)
class StepCost:
    """Milliseconds of one training step of a replicate's arm, measured for its unit after all trials had ended."""

    kind: ClassVar[str] = "step_cost"
    trial_id: TrialId
    step_ms: float
    time: Time


@dataclass(frozen=True, slots=True)
class StudyFinished:
    """Every trial of the study has ended."""

    kind: ClassVar[str] = "study_finished"
    time: Time


Event = (
    StudyStarted
    | StudyResumed
    | StudyExtended
    | RangeWidened
    | PointChosen
    | CellGivenUp
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
