"""The subscriber that the driver calls: it puts events into a queue, from which one thread feeds wandb."""

import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from actsweep.events import Event
from actsweep.records import StudyFolder
from actsweep.study import Study
from actsweep.tracker.client import Client, prepare_environment
from actsweep.tracker.recorder import FAILED_BEGINS, Recorder

_PATIENCE = 0.8  # the share of `close`'s time that wandb gets before it is ended by force


@dataclass(frozen=True)
class TrackerSummary:
    """What came of tracking.

    Attributes:
        runs: runs that are whole on the disk, one for each attempt at a trial.
        folder: where they are.
        problems: one line each; empty if all went well.
        url: where W&B shows them together; empty where that is not known.
    """

    runs: int
    folder: Path
    problems: tuple[str, ...]
    url: str = ""

    def __str__(self) -> str:
        head = f"W&B: {self.runs} {'run' if self.runs == 1 else 'runs'} in {self.folder}"
        return "\n  ".join([head, *self.problems])


class Tracker:
    """Hands events over to a thread of its own; a call neither waits nor raises, whatever becomes of W&B."""

    def __init__(self, study: Study, folder: StudyFolder) -> None:
        prepare_environment()
        self._folder = folder.path / "wandb"
        self._client = Client(study.config.tracker, folder.path)
        self._recorder = Recorder(study, folder, self._client)
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self._events.put(event)

    def close(self, timeout: float) -> TrackerSummary:
        """Let the thread write what is still to be written, and end wandb; by force if `timeout` seconds are over."""
        self._events.put(None)
        self._thread.join(_PATIENCE * timeout)
        in_time = not self._thread.is_alive()
        if not in_time:
            self._client.kill()
            self._thread.join((1 - _PATIENCE) * timeout)
        problems = tuple(self._problems(timeout, in_time=in_time))
        sweep = self._client.sweep
        return TrackerSummary(self._recorder.written, self._folder, problems, sweep.url if sweep is not None else "")

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            self._recorder(event)
        self._recorder.close()

    def _problems(self, timeout: float, *, in_time: bool) -> list[str]:
        problems = [] if in_time else [f"W&B did not come to an end within {timeout:g} s and was ended by force"]
        faults = list(self._recorder.faults)
        counts = Counter(fault for _, fault in faults)
        first = dict(reversed([(fault, run) for run, fault in faults]))
        for fault, count in counts.items():
            more = f" and {count - 1} more" if count > 1 else ""
            problems.append(f"not whole: {first[fault]}{more}: {fault}")
        if self._recorder.skipped:
            skipped = self._recorder.skipped
            problems.append(f"{skipped} more not tried, after {FAILED_BEGINS} in a row could not begin")
        return problems


def tracker(study: Study, folder: StudyFolder) -> Tracker | None:
    """The tracker that a study asks for, to be closed when the study ends; None with `tracker=none`."""
    return None if study.config.tracker.name == "none" else Tracker(study, folder)
