"""Events made of what Tune sees, and told to the queue: how trials begin, report, and end."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial as TuneTrial

from actsweep.events import (
    Evaluation,
    FailureReason,
    StopSpared,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records import EventStream
from actsweep.search.driver_only import DriverOnly
from actsweep.search.outcomes import Outcomes
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.scheduler import CellSchedulers, Decision
from actsweep.study import Trial

MAX_ATTEMPTS = 3


class EventCallback(DriverOnly, Callback):
    """Makes events of what Tune sees, and tells the queue how trials ended.

    Args:
        queue: the study's trials.
        handed_out: each trial by the id that Tune gave it.
        stream: receives the events.
        outcomes: judges how trials ended.
        schedulers: says which trials are stopped early; None where none is.
    """

    def __init__(
        self,
        queue: TrialQueue,
        handed_out: Mapping[str, Trial],
        stream: EventStream,
        outcomes: Outcomes,
        schedulers: CellSchedulers | None,
    ) -> None:
        self._queue = queue
        self._handed_out = handed_out
        self._stream = stream
        self._outcomes = outcomes
        self._schedulers = schedulers

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        """Keep the ledger's promise on what is at risk."""
        self._stream.tick()

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A worker begins an attempt."""
        self._begin(self._handed_out[trial.trial_id])

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Rows, and perhaps the end, of an attempt."""
        ours, attempt = self._attempt(trial)
        rows = [Evaluation(ours.trial_id, attempt, row, time.time()) for row in result["rows"]]
        decision = self._schedulers.taken(trial.trial_id) if self._schedulers is not None else None
        end = result.get("end")
        if end is not None:
            self._end(ours, attempt, rows, end)
        elif decision is not None:
            self._stop(ours, attempt, rows, decision)
        else:
            self._stream(*rows)

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """An attempt's worker is gone."""
        ours = self._handed_out[trial.trial_id]
        record = self._stream.record.trials.get(ours.trial_id)
        if record is None or record.status != "running":  # its worker was lost before the trial began
            self._begin(ours)
        self._fail(ours, self._attempt(trial)[1], "lost", _last_line(trial.error_file))

    def _end(self, ours: Trial, attempt: int, rows: Sequence[Evaluation], end: Mapping[str, Any]) -> None:
        if "failure" in end:
            self._stream(*rows)
            self._fail(ours, attempt, "error", end["failure"])
            return
        final = {name: value for name, value in end.items() if name != "status"}
        self._stream(*rows, TrialFinished(ours.trial_id, attempt, end["status"], final, time.time()))
        self._settle(ours)

    def _stop(self, ours: Trial, attempt: int, rows: Sequence[Evaluation], decision: Decision) -> None:
        """Recorded at once with the rows that it follows from: rungs that are refilled take no decision again."""
        if decision.spared:
            self._stream(*rows, StopSpared(ours.trial_id, attempt, decision.rung, time.time()))
        else:
            self._stream(*rows, TrialStopped(ours.trial_id, attempt, decision.rung, time.time()))
            self._settle(ours)

    def _settle(self, ours: Trial) -> None:
        self._queue.end(ours.trial_id, self._outcomes.of(self._stream.record.trials[ours.trial_id]))

    def _begin(self, ours: Trial) -> None:
        earlier = self._stream.record.trials.get(ours.trial_id)
        self._stream(
            TrialStarted(
                trial_id=ours.trial_id,
                attempt=earlier.started.attempt + 1 if earlier else 1,
                phase=ours.phase,
                block=ours.block,
                seed=ours.config.seed,
                cell=ours.cell.values,
                nuisance=ours.nuisance,
                time=time.time(),
                spared=ours.spared,
            )
        )

    def _attempt(self, trial: TuneTrial) -> tuple[Trial, int]:
        ours = self._handed_out[trial.trial_id]
        return ours, self._stream.record.trials[ours.trial_id].started.attempt

    def _fail(self, trial: Trial, attempt: int, reason: FailureReason, message: str) -> None:
        retry = reason == "lost" and attempt < MAX_ATTEMPTS
        self._stream(TrialFailed(trial.trial_id, attempt, reason, message, retry, time.time()))
        if retry:
            self._queue.retry(trial.trial_id)
        else:
            self._queue.end(trial.trial_id, Outcome(None))


def _last_line(path: str | None) -> str:
    lines = Path(path).read_text(errors="replace").strip().splitlines() if path else []
    return lines[-1] if lines else "the worker's process ended"
