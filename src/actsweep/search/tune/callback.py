"""Events made of what Tune sees, and told to the queue: how trials begin, report, and end."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial as TuneTrial

from actsweep.events import Evaluation, Event, FailureReason, StopSpared, TrialFinished, TrialStarted, TrialStopped
from actsweep.records import EventStream
from actsweep.search.failures import reason_of_end
from actsweep.search.outcomes import Outcomes
from actsweep.search.policy import FailurePolicy
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.tune.driver_only import DriverOnly
from actsweep.search.tune.hung import TrialWatch
from actsweep.search.tune.packs import Pack, Packer
from actsweep.search.tune.scheduler import CellSchedulers, Decision
from actsweep.study import Trial

HUNG = (
    "the trial hung: its process was ended, long after trainer.trial_timeout={limit:g} seconds; the log of the attempt "
    "says where it was, unless the whole process had been frozen"
)


class EventCallback(DriverOnly, Callback):
    """Makes events of what Tune sees, and tells the queue how trials ended.

    Args:
        queue: the study's trials.
        packer: told how long trials took.
        packs: each pack of trials by the id that Tune gave it.
        stream: receives the events.
        outcomes: judges how trials ended.
        schedulers: says which trials are stopped early; None where none is.
        policy: says which failed trials begin again.
        watch: ends trials that hang.
    """

    def __init__(
        self,
        queue: TrialQueue,
        packer: Packer,
        packs: Mapping[str, Pack],
        stream: EventStream,
        outcomes: Outcomes,
        schedulers: CellSchedulers | None,
        policy: FailurePolicy,
        watch: TrialWatch,
    ) -> None:
        self._queue = queue
        self._packer = packer
        self._packs = packs
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
        """A worker begins the first attempts of a pack."""
        self._stream(*(self._begun(trial, place) for place in self._packs[trial.trial_id].running))

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Rows of attempts, and how some ended."""
        gathered = _Gathered()
        pack = self._packs[trial.trial_id]
        for report in result["reports"]:
            place = report["place"]
            ours, attempt = pack.attempts[place]
            self._watch.heard(trial, place)
            if "row" in report:
                gathered.events.append(Evaluation(ours.trial_id, attempt, report["row"], time.time()))
            elif "failure" in (end := report["end"]):
                self._publish(gathered)
                gathered = _Gathered()
                self._fail(ours, attempt, end["reason"], end["failure"])
                self._advance(trial, place, gathered)
            else:
                final = end["status"], end["final"], time.time(), end["weights"]
                gathered.end(ours, TrialFinished(ours.trial_id, attempt, *final))
                self._advance(trial, place, gathered)
        decision = self._schedulers.taken(trial.trial_id) if self._schedulers is not None else None
        if decision is not None and pack.running:
            self._decide(trial, decision, gathered)
        self._publish(gathered)

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A worker is gone, and with it the attempts that ran; the rest of its pack is for another worker."""
        pack, said = self._packs[trial.trial_id], _said(trial.error_file)
        late = {place: self._watch.end(trial, place) for place in pack.running}
        if not late:
            return
        for place, too_long in late.items():
            self._lose(*pack.attempts[place], said, too_long=too_long)
        for other in pack.untouched:
            self._queue.retry(other.trial_id)

    def _lose(self, ours: Trial, attempt: int, said: str, *, too_long: bool) -> None:
        record = self._stream.record.trials.get(ours.trial_id)
        if record is None or record.status != "running":  # its worker was lost before the trial began
            self._stream(self._started(ours, attempt))
        reason = reason_of_end(said)
        if reason == "lost" and too_long:
            self._fail(ours, attempt, "timeout", HUNG.format(limit=ours.config.trainer.trial_timeout))
        else:
            self._fail(ours, attempt, reason, _last_line(said))

    def _decide(self, trial: TuneTrial, decision: Decision, gathered: "_Gathered") -> None:
        """Recorded at once with the rows that it follows from: rungs that are refilled take no decision again."""
        ours, attempt = self._packs[trial.trial_id].attempts[0]  # the only one, since it may be stopped
        if decision.spared:
            gathered.events.append(StopSpared(ours.trial_id, attempt, decision.rung, time.time()))
        else:
            gathered.end(ours, TrialStopped(ours.trial_id, attempt, decision.rung, time.time()))
            self._advance(trial, 0, gathered)

    def _publish(self, gathered: "_Gathered") -> None:
        self._stream(*gathered.events)
        for ours in gathered.ended:
            record = self._stream.record.trials[ours.trial_id]
            self._packer.ended(ours.cell, record)
            self._queue.end(ours.trial_id, self._outcomes.of(record))

    def _advance(self, trial: TuneTrial, place: int, gathered: "_Gathered") -> None:
        """An attempt has ended, and another one of its pack, if one is left, begins."""
        self._watch.end(trial, place)
        begins = self._packs[trial.trial_id].end(place)
        if begins is not None:
            gathered.events.append(self._begun(trial, begins))

    def _begun(self, trial: TuneTrial, place: int) -> Event:
        ours, attempt = self._packs[trial.trial_id].attempts[place]
        self._watch.begin(trial, place, ours.config.trainer.trial_timeout)
        return self._started(ours, attempt)

    def _started(self, ours: Trial, attempt: int) -> Event:
        return TrialStarted(
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

    def _fail(self, ours: Trial, attempt: int, reason: FailureReason, message: str) -> None:
        if self._policy.failed(ours, attempt, reason, message):
            self._queue.retry(ours.trial_id)
        else:
            self._queue.end(ours.trial_id, Outcome(None))


class _Gathered:
    """What is recorded in one go: events, and the trials that end by them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ended: list[Trial] = []

    def end(self, ours: Trial, event: Event) -> None:
        """A trial ends by an event."""
        self.events.append(event)
        self.ended.append(ours)


def _said(error_file: str | None) -> str:
    """What Tune wrote down of an error; it cannot where the disk is full."""
    with suppress(OSError):
        return Path(error_file).read_text(errors="replace").strip() if error_file else ""
    return ""


def _last_line(said: str) -> str:
    return said.splitlines()[-1] if said else "the worker's process ended"
