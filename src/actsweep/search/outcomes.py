"""How trials ended, judged with the analysis's own measure of the best validation accuracy."""

from actsweep.events import StudyRecord, TrialRecord, place_of
from actsweep.records.derived.stopping import best_accuracies
from actsweep.search.queue import Outcome
from actsweep.study import Study


class Outcomes:
    """Judges how trials ended.

    Args:
        study: the study.
        classes: number of classes.
    """

    def __init__(self, study: Study, classes: int) -> None:
        self._horizon = study.config.trainer.epochs
        self._learns = study.config.search.name == "tpe"
        self._classes = classes

    def of(self, trial: TrialRecord) -> Outcome:
        """The outcome of a trial that came to its end."""
        return Outcome(*best_accuracies([trial], self._horizon, self._classes))

    def known(self, record: StudyRecord, trial_id: str) -> Outcome | None:
        """The outcome that a trial had, from this driver or an earlier one; None where it has to run.

        A failed trial runs again, but for one of the tune phase on which something was built: a choice of a point, a
        range that grew, or points that were learned.
        """
        trial = record.trials.get(trial_id)
        if trial is None:
            return None
        if trial.status == "failed" and self._built_upon(record, trial):
            return Outcome(None)
        return self.of(trial) if trial.has_result else None

    def _built_upon(self, record: StudyRecord, failed: TrialRecord) -> bool:
        settled = bool(record.widened) or place_of(failed.started) in record.chosen
        return failed.started.phase == "tune" and (settled or self._learns)
