"""Events made of what Tune sees, and told to the queue: how trials begin, report, and end."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial as TuneTrial

from actsweep.events import Evaluation, FailureReason, StopSpared, TrialFinished, TrialStarted, TrialStopped
from actsweep.records import EventStream
from actsweep.search.driver_only import DriverOnly
from actsweep.search.failures import reason_of_end
from actsweep.search.hung import Watch
from actsweep.search.outcomes import Outcomes
from actsweep.search.policy import FailurePolicy
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.scheduler import CellSchedulers, Decision
from actsweep.study import Trial

HUNG = (
    "the trial hung: its process was ended, long after trainer.trial_timeout={limit:g} seconds; the log of the attempt "
    "says where it was, unless the whole process had been frozen"
)


class EventCallback(DriverOnly, Callback):
    """Makes events of what Tune sees, and tells the queue how trials ended.

    Args:
        queue: the study's trials.
        handed_out: each trial by the id that Tune gave it.
        stream: receives the events.
        outcomes: judges how trials ended.
        schedulers: says which trials are stopped early; None where none is.
        policy: says which failed trials begin again.
        watch: ends trials that hang.
    """

    def __init__(
        self,
        queue: TrialQueue,
        handed_out: Mapping[str, Trial],
        stream: EventStream,
        outcomes: Outcomes,
        schedulers: CellSchedulers | None,
        policy: FailurePolicy,
        watch: Watch,
    ) -> None:
        self._queue = queue
        self._handed_out = handed_out
        self._stream = stream
        self._outcomes = outcomes
        self._schedulers = schedulers
        self._policy = policy
        self._watch = watch

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        """Keep the ledger's promise on what is at risk, and let no trial hang."""
        self._stream.tick()
        self._watch.end_overdue()

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A worker begins an attempt."""
        self._watch.begin(trial, self._handed_out[trial.trial_id].config.trainer.trial_timeout)
        self._begin(trial)

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Rows, and perhaps the end, of an attempt."""
        ours, attempt = self._attempt(trial)
        rows = [Evaluation(ours.trial_id, attempt, row, time.time()) for row in result["rows"]]
        decision = self._schedulers.taken(trial.trial_id) if self._schedulers is not None else None
        self._watch.heard(trial)
        end = result.get("end")
        if end is not None:
            self._watch.end(trial)
            self._end(trial, rows, end)
        elif decision is not None:
            self._stop(trial, rows, decision)
        else:
            self._stream(*rows)

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """An attempt's worker is gone."""
        too_long = self._watch.end(trial)
        ours = self._handed_out[trial.trial_id]
        record = self._stream.record.trials.get(ours.trial_id)
        if record is None or record.status != "running":  # its worker was lost before the trial began
            self._begin(trial)
        said = _said(trial.error_file)
        reason = reason_of_end(said)
        if reason == "lost" and too_long:
            self._fail(trial, "timeout", HUNG.format(limit=ours.config.trainer.trial_timeout))
        else:
            self._fail(trial, reason, _last_line(said))

    def _end(self, trial: TuneTrial, rows: Sequence[Evaluation], end: Mapping[str, Any]) -> None:
        ours, attempt = self._attempt(trial)
        if "failure" in end:
            self._stream(*rows)
            self._fail(trial, end["reason"], end["failure"])
            return
        finished = TrialFinished(ours.trial_id, attempt, end["status"], end["final"], time.time(), end["weights"])
        self._stream(*rows, finished)
        self._settle(ours)

    def _stop(self, trial: TuneTrial, rows: Sequence[Evaluation], decision: Decision) -> None:
        """Recorded at once with the rows that it follows from: rungs that are refilled take no decision again."""
        ours, attempt = self._attempt(trial)
        if decision.spared:
            self._stream(*rows, StopSpared(ours.trial_id, attempt, decision.rung, time.time()))
        else:
            self._watch.end(trial)
            self._stream(*rows, TrialStopped(ours.trial_id, attempt, decision.rung, time.time()))
            self._settle(ours)

    def _settle(self, ours: Trial) -> None:
        self._queue.end(ours.trial_id, self._outcomes.of(self._stream.record.trials[ours.trial_id]))

    def _begin(self, trial: TuneTrial) -> None:
        ours, attempt = self._attempt(trial)
        self._stream(
            TrialStarted(
                trial_id=ours.trial_id,
                attempt=attempt,
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
        return self._handed_out[trial.trial_id], trial.config["attempt"]

    def _fail(self, trial: TuneTrial, reason: FailureReason, message: str) -> None:
        ours, attempt = self._attempt(trial)
        if self._policy.failed(ours, attempt, reason, message):
            self._queue.retry(ours.trial_id)
        else:
            self._queue.end(ours.trial_id, Outcome(None))


def _said(error_file: str | None) -> str:
    """What Tune wrote down of an error; it cannot where the disk is full."""
    with suppress(OSError):
        return Path(error_file).read_text(errors="replace").strip() if error_file else ""
    return ""


def _last_line(said: str) -> str:
    return said.splitlines()[-1] if said else "the worker's process ended"
