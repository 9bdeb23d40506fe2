"""What runs on a worker: a reusable Tune trainable that trains one trial in a thread and passes its numbers on.

Training never waits for the driver: rows go into a queue, and each step hands over all that have gathered.
"""

import queue
import threading
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
from actsweep.records import RESUME_FILE, StudyFolder, append_log
from actsweep.settings import DataSettings, TrialConfig

GRACE_SECONDS = 10.0
Messages = queue.SimpleQueue[dict[str, Any]]


class TrialRunner(tune.Trainable):
    """Trains the trial that its Tune configuration describes, or goes on with it where an earlier attempt left off.

    The configuration holds `trial_id`, `trial` (a `TrialConfig` as a mapping), `source` (the fields of a `Source`),
    `study` (the study's folder) and `one_row_a_step`: whether each result holds at most one row, for a scheduler that
    has to see them all. Each result holds `rows`, evaluations in order; from the first on it also holds the latest
    one's `epoch` and `metric`, the validation accuracy or, where the trial diverged, that of chance. The last result
    also holds `end`: either a `status` with what is measured once, or a `failure`.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Begin to train in a thread."""
        self._one_row = bool(config["one_row_a_step"])
        self._messages: Messages = queue.SimpleQueue()
        self._latest: dict[str, float] = {}
        self._stop = threading.Event()
        self._resume_file = StudyFolder(Path(config["study"])).trial(config["trial_id"]) / RESUME_FILE
        self._thread = threading.Thread(target=_run, args=(config, self._messages, self._stop), daemon=True)
        self._thread.start()

    def step(self) -> dict[str, Any]:
        """What was reported since the last step, at least one report."""
        messages = [self._messages.get()]
        while not (self._one_row or self._messages.empty()):
            messages.append(self._messages.get())
        rows = [message["row"] for message in messages if "row" in message]
        if rows:
            metric = [message["metric"] for message in messages if "metric" in message][-1]
            self._latest = {"epoch": rows[-1]["epoch"], "metric": metric}
        end = next((message["end"] for message in messages if "end" in message), None)
        result = {"rows": rows, **self._latest}
        return result if end is None else {**result, "end": end, "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process; one that still trains here was stopped early, for good."""
        stopped = self._thread.is_alive()
        self._stop.set()
        self._thread.join()
        if stopped:
            self._resume_file.unlink(missing_ok=True)
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        """End the training; a trial that was interrupted goes on from its checkpoint another time."""
        self._stop.set()
        self._thread.join(GRACE_SECONDS)


def _run(config: dict[str, Any], messages: Messages, stop: threading.Event) -> None:
    folder = StudyFolder(Path(config["study"]))
    own = folder.trial(config["trial_id"])
    try:
        from actsweep.train import train  # only workers pay for it

        trial = TrialConfig.model_validate(config["trial"])
        folder.write_trial(config["trial_id"], trial)
        data = _data(Source(**config["source"]), trial.data)

        def report(row: Row) -> None:
            messages.put({"row": row, "metric": _metric(row, data.classes)})

        messages.put({"end": _end(train(trial, data, report, own, stop.is_set))})
    except BaseException as error:  # whatever it is, the driver waits for an end
        with suppress(OSError):
            append_log(own, traceback.format_exc())
        text = str(error) if isinstance(error, ActsweepError) else traceback.format_exception_only(error)[-1].strip()
        messages.put({"end": {"failure": text}})


def _metric(row: Row, classes: int) -> float:
    curve = stack([Curve.from_rows([row])])
    return float(counted_accuracy(curve, first_bad(curve, classes), classes)[0, 0])


def _end(curve: Curve) -> dict[str, Any]:
    final = {name: getattr(curve, name) for name in ("test_acc", "test_loss", "best_test_acc")}
    return {"status": curve.status, **{name: value for name, value in final.items() if value is not None}}


@lru_cache(maxsize=2)
def _data(source: Source, settings: DataSettings) -> Data:
    return load(source, settings)
