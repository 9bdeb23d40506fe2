"""The subscriber that the driver calls: it puts events into a queue, from which one thread feeds wandb."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from actsweep.events import Event
from actsweep.records import StudyFolder
from actsweep.study import Study
from actsweep.tracker.client import Client, prepare_environment
from actsweep.tracker.outcome import StudyOutcome
from actsweep.tracker.recorder import FAILED_BEGINS, Recorder

_PATIENCE = 0.8  # the share of `close`'s time that wandb gets before it is ended by force
STALL_SECONDS, STALL_PAUSES = 1800.0, 10  # without an event, and that many of the longest pauses seen: a stall


@dataclass(frozen=True)
class _News:
    """What becomes of a study that does not come to its end, in two or three words, and more of it."""

    what: str
    text: str


@dataclass(frozen=True)
class TrackerSummary:
    """What came of tracking.

    Attributes:
        runs: runs that are whole on the disk, one for each attempt at a trial and one for the study.
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
        self._events: SimpleQueue[Event | StudyOutcome | _News | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self._events.put(event)

    @property
    def waiting(self) -> int:
        """How much is still to be taken in."""
        return self._events.qsize()

    def conclude(self, outcome: StudyOutcome) -> None:
        """Take in what the study came to."""
        self._events.put(outcome)

    def fail(self, why: str) -> None:
        """Take in that the study ends without results."""
        self._events.put(_News("has failed", why))

    def close(self, timeout: float, *, hurried: bool = False) -> TrackerSummary:
        """Let the thread write what is still to be written, and end wandb.

        Args:
            timeout: seconds after which wandb is ended by force.
            hurried: whether they are counted from now on; else from the last that was seen to be written.
        """
        self._events.put(None)
        self._thread.join(_PATIENCE * timeout)
        steps = -1
        while self._thread.is_alive() and not hurried and self._recorder.steps != steps:
            steps = self._recorder.steps
            self._thread.join(_PATIENCE * timeout)
        in_time = not self._thread.is_alive()
        if not in_time:
            self._client.kill()
            self._thread.join((1 - _PATIENCE) * timeout)
        problems = tuple(self._problems(timeout, in_time=in_time))
        sweep = self._client.sweep
        return TrackerSummary(self._recorder.written, self._folder, problems, sweep.url if sweep is not None else "")

    def _work(self) -> None:
        longest, told = 0.0, False
        while True:
            begun = time.monotonic()
            try:
                event = self._events.get(timeout=None if told else max(STALL_SECONDS, STALL_PAUSES * longest))
            except Empty:
                told = True
                waited = (time.monotonic() - begun) / 60
                self._recorder.tell("has stalled", f"no trial has reported anything for {waited:.0f} minutes")
                continue
            if event is None:
                break
            longest, told = max(longest, time.monotonic() - begun), False
            self._take(event)
        self._recorder.close()

    def _take(self, event: Event | StudyOutcome | _News) -> None:
        match event:
            case StudyOutcome():
                self._recorder.conclude(event)
            case _News(what, text):
                self._recorder.tell(what, text)
            case _:
                self._recorder(event)

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
            problems.append(f"{skipped} more not tried, after {FAILED_BEGINS} or more in a row could not begin")
        return problems


def tracker(study: Study, folder: StudyFolder) -> Tracker | None:
    """The tracker that a study asks for, to be closed when the study ends; None with `tracker=none`."""
    return None if study.config.tracker.name == "none" else Tracker(study, folder)
