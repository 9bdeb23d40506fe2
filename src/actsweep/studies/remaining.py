"""What `resume` would run, from a study's folder alone."""

from dataclasses import dataclass
from pathlib import Path

from actsweep.events import TrialRecord
from actsweep.records import RESUME_FILE, StudyFolder
from actsweep.studies.status import StudyStatus, status_of


@dataclass(frozen=True)
class Begun:
    """A trial that has begun and has no result.

    Attributes:
        trial_id: its id.
        cell: the name of its cell.
        phase: its phase.
        state: failed, or interrupted.
        epoch: the last evaluated epoch, from which it goes on; None where it starts anew.
    """

    trial_id: str
    cell: str
    phase: str
    state: str
    epoch: int | None


@dataclass(frozen=True)
class Remaining:
    """What a study still lacks.

    Attributes:
        status: how far it is.
        begun: the trials that have begun and have no result, in the order in which they began.
    """

    status: StudyStatus
    begun: tuple[Begun, ...]

    @property
    def trials(self) -> int:
        """How many trials would run, as far as is known: a range that widens adds more."""
        return self.status.sum("total") - self.status.sum("done")


def remaining_of(path: Path) -> Remaining:
    """What `resume` would run.

    Raises:
        RecordsError: the folder holds no study, or a damaged one.
    """
    status = status_of(path)
    lacking = (trial for trial in status.record.trials.values() if not trial.has_result)
    return Remaining(status, tuple(_begun(status, trial) for trial in lacking))


def _begun(status: StudyStatus, trial: TrialRecord) -> Begun:
    start = trial.started
    goes_on = trial.rows and (StudyFolder(status.path).trial(start.trial_id) / RESUME_FILE).is_file()
    return Begun(
        start.trial_id,
        status.study.cell_at(start.cell).label,
        start.phase,
        "failed" if trial.status == "failed" else "interrupted",
        trial.rows[-1]["epoch"] if goes_on else None,
    )
