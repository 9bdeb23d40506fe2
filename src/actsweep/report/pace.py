"""How long a study still takes, estimated from its own trials."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from actsweep.events import Event, StudyResumed, TrialEnd, TrialFailed, TrialFinished, TrialStarted, TrialStopped
from actsweep.study import Phase


class Pace:
    """Folds events into the mean duration of a trial and the number that run at the same time."""

    def __init__(self) -> None:
        self._running: dict[str, TrialStarted] = {}
        self._finished: Counter[Phase] = Counter()
        self._seconds: defaultdict[Phase, float] = defaultdict(float)
        self._at_once = 0

    def __call__(self, event: Event) -> None:
        """Take in one event; after a resumption nothing runs any more, and durations stay known."""
        match event:
            case TrialStarted():
                self._running[event.trial_id] = event
                self._at_once = max(self._at_once, len(self._running))
            case TrialFinished() | TrialStopped() | TrialFailed():
                self._end(event)
            case StudyResumed():
                self._running.clear()
                self._at_once = 0

    def left(self, waiting: Mapping[Phase, int], now: float) -> float | None:
        """Seconds until all trials have ended.

        Args:
            waiting: trials that are not started yet, by phase.
            now: seconds since the epoch.

        Returns:
            None as long as no trial has finished, or none has been started since a resumption.
        """
        if not self._finished or (any(waiting.values()) and not self._at_once):
            return None
        rests = [max(0.0, self._mean(t.phase) - (now - t.time)) for t in self._running.values()]
        work = sum(rests) + sum(number * self._mean(phase) for phase, number in waiting.items())
        return max([work / max(self._at_once, 1), *rests])

    def _end(self, event: TrialEnd) -> None:
        start = self._running.get(event.trial_id)
        if start is None or start.attempt != event.attempt:
            return
        del self._running[event.trial_id]
        if not isinstance(event, TrialFailed):
            self._finished[start.phase] += 1
            self._seconds[start.phase] += event.time - start.time

    def _mean(self, phase: Phase) -> float:
        """Of the phase; where none of it has finished yet, of all."""
        if self._finished[phase]:
            return self._seconds[phase] / self._finished[phase]
        return sum(self._seconds.values()) / self._finished.total()
