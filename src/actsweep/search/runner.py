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

from actsweep.curves import Curve
from actsweep.data import Data, Source, load
from actsweep.errors import ActsweepError
from actsweep.records import StudyFolder
from actsweep.settings import DataSettings, TrialConfig


class TrialRunner(tune.Trainable):
    """Trains the trial that its Tune configuration describes.

    The configuration holds `trial_id`, `trial` (a `TrialConfig` as a mapping), `source` (the fields of a `Source`) and
    `study` (the study's folder). Each result holds `rows`, evaluations in order; the last one also `end`: either a
    `status` with what is measured once, or a `failure`.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Begin to train in a thread."""
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=_run, args=(config, self._messages), daemon=True)
        self._thread.start()

    def step(self) -> dict[str, Any]:
        """All that was reported since the last step, at least one report."""
        messages = [self._messages.get()]
        while not self._messages.empty():
            messages.append(self._messages.get())
        rows = [message["row"] for message in messages if "row" in message]
        end = next((message["end"] for message in messages if "end" in message), None)
        return {"rows": rows} if end is None else {"rows": rows, "end": end, "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same process."""
        self._thread.join()
        self.setup(new_config)
        return True


def _run(config: dict[str, Any], messages: "queue.SimpleQueue[dict[str, Any]]") -> None:
    folder = StudyFolder(Path(config["study"]))
    try:
        from actsweep.train import train  # only workers pay for it

        trial = TrialConfig.model_validate(config["trial"])
        folder.write_trial(config["trial_id"], trial)
        data = _data(Source(**config["source"]), trial.data)
        checkpoints = folder.trial(config["trial_id"])
        curve = train(trial, data, lambda row: messages.put({"row": row}), checkpoints)
        messages.put({"end": _end(curve)})
    except BaseException as error:  # whatever it is, the driver waits for an end
        with suppress(OSError):
            (folder.trial(config["trial_id"]) / "log").write_text(traceback.format_exc())
        text = str(error) if isinstance(error, ActsweepError) else traceback.format_exception_only(error)[-1].strip()
        messages.put({"end": {"failure": text}})


def _end(curve: Curve) -> dict[str, Any]:
    final = {name: getattr(curve, name) for name in ("test_acc", "test_loss", "best_test_acc")}
    return {"status": curve.status, **{name: value for name, value in final.items() if value is not None}}


@lru_cache(maxsize=2)
def _data(source: Source, settings: DataSettings) -> Data:
    return load(source, settings)
