"""One trial of a study, with everything that its records say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actsweep.curves import Curve, measure_curve
from actsweep.errors import RecordsError
from actsweep.events import TrialRecord
from actsweep.records import StudyFolder, attempt_logs
from actsweep.studies.status import StudyStatus, status_of
from actsweep.study import Study

_LOG_BYTES = 64 * 2**10
_LISTED = 8


@dataclass(frozen=True)
class TrialDetail:
    """One trial.

    Attributes:
        study: the study that it belongs to.
        record: what happened to it.
        status: its status; interrupted where it was running and nobody runs the study any more.
        measures: what its curve comes to, where it has a result.
        log: the end of the logs of its attempts, one after the other, as they were written; empty where there are none.
    """

    study: Study
    record: TrialRecord
    status: str
    measures: Mapping[str, float | None]
    log: str


def find_trial(path: Path, prefix: str) -> TrialDetail:
    """The one trial of the study in a folder whose id begins with `prefix`.

    Raises:
        RecordsError: the folder holds no study, or not exactly one such trial.
    """
    status = status_of(path)
    trials = status.record.trials
    found = [name for name in trials if prefix and name.startswith(prefix)]
    if prefix in trials:
        found = [prefix]
    if len(found) != 1:
        listed = found or list(trials)
        some = ", ".join(listed[:_LISTED]) + (f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else "")
        what = "several trials begin so" if found else "no trial begins so"
        raise RecordsError(f"TRIAL {prefix!r}: {what} in {path}: {some or 'it has no trials yet'}")
    record = trials[found[0]]
    shown = "interrupted" if record.status == "running" and status.state != "running" else record.status
    return TrialDetail(status.study, record, shown, _measures(status, record), _log(path, found[0]))


def _measures(status: StudyStatus, record: TrialRecord) -> Mapping[str, float | None]:
    started = status.record.started
    if not (record.has_result and record.rows and started):
        return {}
    rows = [*record.rows[:-1], {**record.rows[-1], **record.final, "step_ms": record.step_ms, "status": record.status}]
    return measure_curve(Curve.from_rows(rows), status.study.config.trainer.epochs, started.data["classes"])


def _log(path: Path, trial_id: str) -> str:
    ends = (_end(log) for log in attempt_logs(StudyFolder(path).trial(trial_id)))
    return b"".join(ends)[-_LOG_BYTES:].decode(errors="replace")


def _end(log: Path) -> bytes:
    if log.is_symlink() or not log.is_file():
        return b""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        return file.read()
