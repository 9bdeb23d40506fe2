"""What runs on a worker: a reusable Tune trainable that trains one trial in a thread and passes its numbers on.

Training never waits for the driver: rows go into a queue, and each step hands over all that have gathered.
"""

import queue
import threading
import time
import traceback
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ray import tune

from actsweep.curves import Curve, first_bad, stack
from actsweep.curves.divergence import counted_accuracy
from actsweep.data import Data, Source, load
from actsweep.errors import ActsweepError
from actsweep.events import Row
from actsweep.records import RESUME_FILE, Attempt, OutdatedError, StudyFolder
from actsweep.redaction import redacted
from actsweep.search.failures import reason_of
from actsweep.search.hung import ended_when_hung
from actsweep.settings import DataSettings, TrialConfig

GRACE_SECONDS = 5.0  # for the batch or evaluation that a trial is in when its study ends
RESET_SECONDS = 120.0  # the same where the worker has another trial to go on to
LOOK_SECONDS = 1.0  # between two looks at whether a later attempt has begun: on a network file system each takes time
Messages = queue.SimpleQueue[dict[str, Any]]


class TrialRunner(tune.Trainable):
    """Trains the trial that its Tune configuration describes, or goes on with it where an earlier attempt left off.

    The configuration holds `trial_id`, `attempt` (its number), `trial` (a `TrialConfig` as a mapping), `source` (the
    fields of a `Source`), `study` (the study's folder) and `one_row_a_step`: whether each result holds at most one row,
    for a scheduler that has to see them all. Each result holds `rows`, evaluations in order; from the first on it also
    holds the latest one's `epoch` and `metric`, the validation accuracy or, where the trial diverged, that of chance.
    The last result also holds `end`: either a `status` with `final`, what is measured once, and `weights`, hashes by
    file name; or a `failure` with its `reason`.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Begin to train in a thread."""
        self._one_row = bool(config["one_row_a_step"])
        self._messages: Messages = queue.SimpleQueue()
        self._latest: dict[str, float] = {}
        self._stop = threading.Event()
        folder = StudyFolder(Path(config["study"]))
        self._halt = folder.halt
        self._attempt = Attempt(folder.trial(config["trial_id"]), config["attempt"])
        args = (config, self._attempt, self._messages, self._stop)
        self._thread = threading.Thread(target=_run, args=args, daemon=True)
        self._thread.start()

    def step(self) -> dict[str, Any]:
        """What was reported since the last step: at least one report, or nothing where all trials are to end."""
        messages = [self._first_message()]
        while not (self._one_row or self._messages.empty()):
            messages.append(self._messages.get())
        rows = [message["row"] for message in messages if "row" in message]
        if rows:
            metric = [message["metric"] for message in messages if "metric" in message][-1]
            self._latest = {"epoch": rows[-1]["epoch"], "metric": metric}
        end = next((message["end"] for message in messages if "end" in message), None)
        result = {"rows": rows, **self._latest}
        return result if end is None else {**result, "end": end, "done": True}

    def _first_message(self) -> dict[str, Any]:
        """Wait for a report, but not through a whole epoch while the driver waits to end this trial."""
        while True:
            with suppress(queue.Empty):
                return self._messages.get(timeout=LOOK_SECONDS)
            if self._halt.exists():
                return {}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process; one that still trains here was stopped early, for good.

        Raises:
            RuntimeError: the one before does not end, so that this process is of no more use.
        """
        stopped = self._thread.is_alive()
        self._end_training(RESET_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"trial {self._attempt.folder.name}, which was stopped early, does not end")
        if stopped:
            with suppress(OutdatedError):
                self._attempt.remove(RESUME_FILE)
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        """End the training; a trial that was interrupted goes on from its checkpoint another time."""
        self._end_training(GRACE_SECONDS)

    def _end_training(self, seconds: float) -> None:
        self._stop.set()
        self._thread.join(seconds)


def _run(config: dict[str, Any], attempt: Attempt, messages: Messages, stop: threading.Event) -> None:
    folder = StudyFolder(Path(config["study"]))
    try:
        from actsweep.train import train  # only workers pay for it

        attempt.begin()
        trial = TrialConfig.model_validate(config["trial"])
        folder.write_trial(config["trial_id"], trial)
        data = _data(Source(**config["source"]), trial.data)

        def report(row: Row) -> None:
            messages.put({"row": row, "metric": _metric(row, data.classes)})

        with ended_when_hung(trial.trainer.trial_timeout, attempt):
            curve = train(trial, data, report, attempt, _Ending(stop, attempt))
        messages.put({"end": {**_end(curve), "weights": dict(attempt.weights)}})
    except BaseException as error:  # whatever it is, the driver waits for an end
        if not isinstance(error, OutdatedError):
            with suppress(OSError):
                attempt.note(traceback.format_exc())
        text = str(error) if isinstance(error, ActsweepError) else traceback.format_exception_only(error)[-1].strip()
        messages.put({"end": {"failure": redacted(text), "reason": reason_of(error)}})


class _Ending:
    """Whether a trial is to end early: it is asked to, or a later attempt at it has begun."""

    def __init__(self, stop: threading.Event, attempt: Attempt) -> None:
        self._stop = stop
        self._attempt = attempt
        self._looked = time.monotonic()

    def __call__(self) -> bool:
        if not self._stop.is_set() and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            if self._attempt.outdated:
                self._stop.set()
        return self._stop.is_set()


def _metric(row: Row, classes: int) -> float:
    curve = stack([Curve.from_rows([row])])
    return float(counted_accuracy(curve, first_bad(curve, classes), classes)[0, 0])


def _end(curve: Curve) -> dict[str, Any]:
    final = {name: getattr(curve, name) for name in ("test_acc", "test_loss", "best_test_acc")}
    return {"status": curve.status, "final": {name: value for name, value in final.items() if value is not None}}


@lru_cache(maxsize=2)
def _data(source: Source, settings: DataSettings) -> Data:
    return load(source, settings)
