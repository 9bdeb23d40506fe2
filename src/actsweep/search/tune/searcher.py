"""The queue of a study's trials in the form in which Tune asks for it."""

from collections.abc import MutableMapping
from dataclasses import asdict
from typing import Any

from ray.tune.search import Searcher

from actsweep.data import Source
from actsweep.events import StudyRecord
from actsweep.records import StudyFolder, latest_attempt
from actsweep.search.queue import TrialQueue
from actsweep.search.tune.driver_only import DriverOnly
from actsweep.search.tune.packs import Pack, Packer


class TuneAdapter(DriverOnly, Searcher):
    """Hands out the trials of a queue, as packs of them: what is a trial to Tune is a pack to us.

    Args:
        queue: the study's trials.
        packer: takes them off the queue.
        packs: filled with each pack by the id that Tune gave it.
        source: the prepared data.
        folder: where the trials' own folders are.
        record: which attempts at the trials there were.
        side_by_side: how many trials a worker trains at a time.
        checkpoints: the address of trials' files, where workers do not see the folder.
    """

    def __init__(
        self,
        queue: TrialQueue,
        packer: Packer,
        packs: MutableMapping[str, Pack],
        source: Source,
        folder: StudyFolder,
        record: StudyRecord,
        side_by_side: int,
        checkpoints: str | None,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._packer = packer
        self._packs = packs
        self._source = asdict(source)
        self._folder = folder
        self._record = record
        self._side_by_side = side_by_side
        self._checkpoints = checkpoints

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The configuration of the next pack; None while there is none, FINISHED when there never will be."""
        trials = self._packer.next()
        if not trials:
            return self.FINISHED if self._queue.idle else None
        attempts = [(trial, self._attempts(trial.trial_id) + 1) for trial in trials]
        pack = Pack(attempts, self._side_by_side)
        self._packs[trial_id] = pack
        return {
            "trials": [
                {"trial_id": trial.trial_id, "attempt": attempt, "trial": trial.config.model_dump(mode="json")}
                for trial, attempt in pack.attempts
            ],
            "side_by_side": self._side_by_side,
            "source": self._source,
            "study": str(self._folder.path.absolute()),
            "checkpoints": self._checkpoints,
            "one_row_a_step": self._packer.stoppable(trials[0]),
            "alone": self._packer.is_alone(trials[0]),
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
