"""A reusable Tune trainable that trains a pack of trials in threads and passes their numbers on.

Training never waits for the driver: rows go into a queue, and each step hands over all that have gathered.
"""

import queue
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from actsweep.curves import Curve, first_bad, stack
from actsweep.curves.divergence import counted_accuracy
from actsweep.data import Source
from actsweep.errors import ActsweepError, OutdatedError, RemoteError
from actsweep.events import Row
from actsweep.records import RESUME_FILE, Attempt, StudyFolder
from actsweep.settings import DataSettings, TrialConfig
from actsweep.system.redaction import redacted
from actsweep.worker.failures import reason_of
from actsweep.worker.hung import ended_when_hung
from actsweep.worker.images import source_here
from actsweep.worker.remote_trials import RemoteAttempt, local_folder

if TYPE_CHECKING:
    from actsweep.data import Data

GRACE_SECONDS = 5.0  # for the batch or evaluation that a trial is in when its study ends
RESET_SECONDS = 120.0  # the same where the worker has another trial to go on to
LOOK_SECONDS = 1.0  # between two looks at whether a later attempt has begun: on a network file system each takes time
REPORT_SECONDS = 0.5  # between two results, where no scheduler waits for one: each costs the driver some milliseconds
_REPORTED = ("place", "row", "end")


class TrialRunner(tune.Trainable):
    """Trains the pack of trials that its Tune configuration describes, each from where an earlier attempt left off.

    The configuration holds `trials`, each with its `trial_id`, `attempt` (its number) and `trial` (a `TrialConfig` as a
    mapping); `side_by_side`, how many of them train at a time; `source` (the fields of a `Source`), `study` (the
    study's folder), `checkpoints` (the address of trials' files where that folder is not seen, else None) and
    `one_row_a_step`: whether each result holds at most one row, for a scheduler that has to see them all. Trials begin
    in their order, another one whenever one ends. Each result holds `reports`: the `place` of a trial among them and
    `row`, an evaluation, or `end`, either a `status` with `final`, what is measured once, and `weights`, hashes by file
    name, or a `failure` with its `reason`. From the first row on a result also holds the latest one's `epoch` and
    `metric`, the validation accuracy or, where the trial diverged, that of chance.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Begin to train in threads."""
        self._one_row = bool(config["one_row_a_step"])
        self._latest: dict[str, float] = {}
        self._left = len(config["trials"])
        self._due = time.monotonic()
        self._pack = pack = _Pack(config)
        self._threads = [threading.Thread(target=_run, args=(pack,), daemon=True) for _ in range(pack.side_by_side)]
        for thread in self._threads:
            thread.start()

    def step(self) -> dict[str, Any]:
        """What was reported since the last step: at least one report, or nothing where all trials are to end."""
        messages = list(self._gathered())
        self._due = time.monotonic() + REPORT_SECONDS
        reports = [{name: message[name] for name in _REPORTED if name in message} for message in messages]
        for message in messages:
            if "row" in message:
                self._latest = {"epoch": message["row"]["epoch"], "metric": message["metric"]}
        return {"reports": reports, **self._latest, "done": not self._left}

    def _gathered(self) -> Iterator[dict[str, Any]]:
        message = self._first_message()
        while message is not None:
            yield message
            self._left -= "end" in message
            if self._one_row or not self._left:
                return
            with suppress(queue.Empty):
                message = self._pack.messages.get(timeout=max(0.0, self._due - time.monotonic()))
                continue
            return

    def _first_message(self) -> dict[str, Any] | None:
        """Wait for a report, but not through a whole epoch while the driver waits to end this trial."""
        while not self._pack.folder.halt.exists():
            with suppress(queue.Empty):
                return self._pack.messages.get(timeout=LOOK_SECONDS)
        return None

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another pack in the same process; a trial that still trains here was stopped early, for good.

        Raises:
            RuntimeError: the one before does not end, so that this process is of no more use.
        """
        stopped = self._is_training
        self._end_training(RESET_SECONDS)
        attempt = self._pack.attempts[-1]  # the only one: what a scheduler may stop is a pack by itself
        if self._is_training:
            raise RuntimeError(f"trial {attempt.folder.name}, which was stopped early, does not end")
        if stopped:
            with suppress(OutdatedError):
                attempt.remove(RESUME_FILE)
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        """End the training; a trial that was interrupted goes on from its checkpoint another time."""
        self._end_training(GRACE_SECONDS)

    @property
    def _is_training(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _end_training(self, seconds: float) -> None:
        self._pack.stop.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))


class _Pack:
    """What the threads of a worker share: the trials that they were asked for, and what they have to say of them."""

    def __init__(self, config: dict[str, Any]) -> None:
        address = config["checkpoints"]
        self.folder = local_folder(address) if address else StudyFolder(Path(config["study"]))
        self.source = source_here(config["source"])
        self.asked = config["trials"]
        self.attempts = [self._attempt(asked["trial_id"], asked["attempt"], address) for asked in self.asked]
        self.side_by_side = min(config["side_by_side"], len(self.asked))
        self.places = iter(range(len(self.asked)))
        self.messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.stop = threading.Event()

    def _attempt(self, trial_id: str, number: int, address: str | None) -> Attempt:
        folder = self.folder.trial(trial_id)
        return RemoteAttempt(folder, number, address) if address else Attempt(folder, number)

    def outdated_before(self, place: int) -> bool:
        """Whether others have the trials that began last before one, so that this worker was taken for lost."""
        return any(attempt.outdated for attempt in self.attempts[max(0, place - self.side_by_side) : place])


def _run(pack: _Pack) -> None:
    for place in pack.places:
        if pack.stop.is_set():
            return
        pack.messages.put({"place": place, "end": _end_of(pack, place)})


def _end_of(pack: _Pack, place: int) -> dict[str, Any]:
    """Train one trial; how it ended."""
    attempt = pack.attempts[place]
    try:
        from actsweep.train import TURNS  # only workers pay for it, not who makes actors of this class

        with TURNS.turn():
            end = _trained(pack, place)
        attempt.end()
    except BaseException as error:  # whatever it is, the driver waits for an end
        if not isinstance(error, OutdatedError):
            with suppress(OSError, RemoteError):
                attempt.note(traceback.format_exc())
                if not isinstance(error, RemoteError):  # which has been waited for long enough
                    attempt.end()
        text = str(error) if isinstance(error, ActsweepError) else traceback.format_exception_only(error)[-1].strip()
        return {"failure": redacted(text), "reason": reason_of(error)}
    return end


def _trained(pack: _Pack, place: int) -> dict[str, Any]:
    from actsweep.train import TURNS, train

    if pack.outdated_before(place):
        raise OutdatedError("this worker was taken for lost, and its trials are with others")
    attempt, trial_id = pack.attempts[place], pack.asked[place]["trial_id"]
    attempt.begin()
    trial = TrialConfig.model_validate(pack.asked[place]["trial"])
    pack.folder.write_trial(trial_id, trial)
    data = _data(pack.source, trial.data, trial.trainer.accelerator)
    ending = _Ending(pack.stop, attempt)

    def report(row: Row) -> None:
        pack.messages.put({"place": place, "row": row, "metric": _metric(row, data.classes)})

    def should_stop() -> bool:
        TURNS.pass_on()
        return ending()

    with ended_when_hung(trial.trainer.trial_timeout, attempt):
        curve = train(trial, data, report, attempt, should_stop)
    return {"status": curve.status, "final": curve.final, "weights": dict(attempt.weights)}


class _Ending:
    """Whether a trial is to end early: it is asked to, or a later attempt at it has begun."""

    def __init__(self, stop: threading.Event, attempt: Attempt) -> None:
        self._stop = stop
        self._attempt = attempt
        self._looked = time.monotonic()
        self._outdated = False

    def __call__(self) -> bool:
        if not self._outdated and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            self._outdated = self._attempt.outdated
        return self._outdated or self._stop.is_set()


def _metric(row: Row, classes: int) -> float:
    curve = stack([Curve.from_rows([row])])
    return float(counted_accuracy(curve, first_bad(curve, classes), classes)[0, 0])


@lru_cache(maxsize=2)
def _data(source: Source, settings: DataSettings, accelerator: str) -> "Data":
    """The splits, where trials train on them: once for all that do so in this process."""
    import torch

    from actsweep.data import load

    on_gpu = accelerator == "gpu" and torch.cuda.is_available()  # where it is not, `train` says so
    return load(source, settings).to("cuda" if on_gpu else "cpu")
