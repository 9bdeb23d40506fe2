"""The queue of a study's trials in the form in which Tune asks for it."""

from collections.abc import MutableMapping
from dataclasses import asdict
from typing import Any

from ray.tune.search import Searcher

from actsweep.data import Source
from actsweep.events import StudyRecord
from actsweep.records import StudyFolder, latest_attempt
from actsweep.search.driver_only import DriverOnly
from actsweep.search.queue import TrialQueue
from actsweep.study import Trial


class StudySearcher(DriverOnly, Searcher):
    """Hands out the trials of a queue.

    Args:
        queue: the study's trials.
        handed_out: filled with each trial by the id that Tune gave it.
        source: the prepared data.
        folder: where the trials' own folders are.
        record: which attempts at the trials there were.
        stops: whether a scheduler may stop tune trials, so that it has to see every evaluation by itself.
    """

    def __init__(
        self,
        queue: TrialQueue,
        handed_out: MutableMapping[str, Trial],
        source: Source,
        folder: StudyFolder,
        record: StudyRecord,
        *,
        stops: bool,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._handed_out = handed_out
        self._source = asdict(source)
        self._folder = folder
        self._record = record
        self._stops = stops

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The configuration of the next trial; None while there is none, FINISHED when there never will be."""
        trial = self._queue.next()
        if trial is None:
            return self.FINISHED if self._queue.idle else None
        self._handed_out[trial_id] = trial
        return {
            "trial_id": trial.trial_id,
            "attempt": self._attempts(trial.trial_id) + 1,
            "trial": trial.config.model_dump(mode="json"),
            "source": self._source,
            "study": str(self._folder.path.absolute()),
            "one_row_a_step": trial.phase == "tune" and self._stops,
        }

    def _attempts(self, trial_id: str) -> int:
        """Attempts so far; one whose driver was killed as it began may have left its log alone."""
        earlier = self._record.trials.get(trial_id)
        return max(earlier.started.attempt if earlier else 0, latest_attempt(self._folder.trial(trial_id)))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing to learn here: the callback tells the queue."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to keep: the ledger says what is done."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the ledger says what is done."""
