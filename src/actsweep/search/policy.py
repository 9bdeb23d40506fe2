"""What follows from a failed attempt: another one, the end of the trial, of its cell, or of this run of the study."""

import time
from collections import Counter
from collections.abc import Mapping

from actsweep.events import FailureReason, TrialFailed
from actsweep.records import EventStream
from actsweep.search.giving_up import GivingUp
from actsweep.study import Trial
from actsweep.system.halt import Halt
from actsweep.system.redaction import redacted

LONGEST_MESSAGE = 2000  # characters
_HALTING: Mapping[FailureReason, str] = {
    "disk": "the disk is full",
    "storage": "the storage of checkpoints does not answer",
}


class FailurePolicy:
    """Decides on failed attempts, and publishes them.

    A trial whose worker was lost or ran out of memory begins again, `retries` times at most while this driver runs;
    one that ran out of a GPU's memory, which it may have shared with others, once, with the whole GPU. What is the
    trial's own fault would only come again. Where the disk is full, or the storage of checkpoints away, the whole study
    halts, and its trials can go on when it does.

    Args:
        retries: `cluster.retries`.
        alone: to which the ids of trials are added that are to have a GPU for themselves.
        stream: receives the failures.
        giving_up: told of trials that have failed for good.
        halt: set where the study cannot go on.
    """

    def __init__(self, retries: int, alone: set[str], stream: EventStream, giving_up: GivingUp, halt: Halt) -> None:
        self._retries = retries
        self._alone = alone
        self._stream = stream
        self._giving_up = giving_up
        self._halt = halt
        self._retried: Counter[str] = Counter()

    def failed(self, trial: Trial, attempt: int, reason: FailureReason, message: str) -> bool:
        """Take in a failed attempt; whether the trial is to begin again."""
        retry = self._begins_again(trial, reason)
        said = redacted(message)[:LONGEST_MESSAGE]
        self._stream(TrialFailed(trial.trial_id, attempt, reason, said, retry, time.time()))
        if reason in _HALTING:
            self._halt.because(f"{_HALTING[reason]}: {said}")
        elif retry:
            self._retried[trial.trial_id] += 1
        else:
            self._giving_up.failed(trial, said)
        return retry

    def _begins_again(self, trial: Trial, reason: FailureReason) -> bool:
        left = self._retries - self._retried[trial.trial_id]
        if reason == "gpu_memory" and left > 0 and trial.trial_id not in self._alone:
            self._alone.add(trial.trial_id)
            return True
        return reason in _HALTING or (reason in ("lost", "memory") and left > 0)
