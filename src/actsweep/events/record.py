"""The state of a study and of its trials, folded from their events one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from actsweep.events.kinds import (
    CellGivenUp,
    Evaluation,
    Event,
    PointChosen,
    RangeWidened,
    Row,
    StepCost,
    StopSpared,
    StudyExtended,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.study.space import Side, Value

CellKey = tuple[tuple[str, Value], ...]  # scientific values by path
Place = tuple[CellKey, int]  # with a block
TrialStatus = Literal["running", "waiting", "completed", "diverged", "stopped", "failed"]


@dataclass
class TrialRecord:
    """What is known of a trial from its events.

    Attributes:
        status: how it stands, or how it ended; waiting is for another attempt.
        rows: the evaluations of the latest attempt, in the order of their epochs.
        final: what was measured at the end.
        message: why it failed.
        step_ms: what a training step of its arm cost, once measured.
        rung: the epoch at which its scheduler stopped it, or, of a spared trial, would have.
    """

    started: TrialStarted
    status: TrialStatus = "running"
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
        settled: the places of `chosen` that no addition to the study has opened again.
        settings: the study's configuration, with what was added to it; empty before it has started.
        given_up: the cells of which this driver begins no more trials, by their scientific values, with the reason.
    """

    started: StudyStarted | None = None
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    finished: bool = False
    looks: int = 1
    widened: list[tuple[str, Side]] = field(default_factory=list)
    chosen: dict[Place, Mapping[str, Value]] = field(default_factory=dict)
    settled: set[Place] = field(default_factory=set)
    settings: Mapping[str, Any] = field(default_factory=dict)
    given_up: dict[CellKey, str] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take in one event; events of an outdated attempt change nothing."""
        match event:
            case StudyStarted():
                self.started, self.settings = event, event.settings
            case StudyResumed():
                self.finished, self.given_up = False, {}
                for trial in self.trials.values():
                    trial.status = "waiting" if trial.status == "running" else trial.status
            case StudyExtended():
                self.finished, self.looks, self.settled = False, event.look, set()
                self.settings = event.settings
            case CellGivenUp():
                self.given_up[cell_key(event.cell)] = event.message
            case RangeWidened():
                self.widened.append((event.path, event.side))
            case PointChosen():
                self.chosen[place_of(event)] = event.nuisance
                self.settled.add(place_of(event))
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

    def is_busy(self) -> bool:
        """Whether a trial runs; may be asked by another thread than the one that takes events in."""
        return any(trial.status == "running" for trial in list(self.trials.values()))

    def counts(self, trial: TrialRecord) -> bool:
        """Whether a trial belongs to the results, as every tune trial does.

        A replicate does where it is at the point chosen for its cell now, a crossed trial at that of another arm.
        """
        start = trial.started
        if start.phase == "tune":
            return True
        if start.phase == "replicate":
            return self.chosen.get(place_of(start)) == start.nuisance
        return start.nuisance in self._choices_of_others(start)

    def _choices_of_others(self, start: TrialStarted) -> list[Mapping[str, Value]]:
        """What is chosen for the other arms of a trial's stratum, in its block."""
        (arm, *stratum), block = place_of(start)
        return [
            nuisance
            for (values, of_block), nuisance in self.chosen.items()
            if of_block == block and values[0] != arm and [*values[1:]] == stratum
        ]


def cell_key(values: Mapping[str, Value]) -> CellKey:
    """A cell's scientific values as a key."""
    return tuple(values.items())


def place_of(event: TrialStarted | PointChosen) -> Place:
    """The cell and block that an event belongs to."""
    return cell_key(event.cell), event.block


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
