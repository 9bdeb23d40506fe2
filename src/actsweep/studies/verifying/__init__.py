"""Proof that a study's files agree with its ledger, or where they do not and what to do about it.

findings.py   what a check comes to
contents.py   what lies in the folder
events.py     the ledger by itself
trials.py     settings, trials, weights, checkpoints
derived.py    curves, results, report, Optuna's mirror
"""

from pathlib import Path

from actsweep.errors import RecordsError, RequestError
from actsweep.events import StudyRecord, TrialFinished
from actsweep.records import LedgerContent, OpenedStudy, StudyFolder, holds_study, is_held, recorded_config
from actsweep.studies.verifying.contents import Contents, check_contents, contents_of
from actsweep.studies.verifying.derived import check_derived, check_mirror
from actsweep.studies.verifying.events import NO_COPY, check_choices, check_events, read_events
from actsweep.studies.verifying.findings import Check, Finding, Verification
from actsweep.studies.verifying.trials import check_checkpoints, check_settings, check_trials, check_weights
from actsweep.study import Study

__all__ = ["Check", "Finding", "Verification", "verify_study"]


def verify_study(path: Path) -> Verification:
    """Compare all files of a study with its ledger; nothing is written.

    A study that runs is verified as far as it is: what only its end, or the next moment, makes true is left out.

    Raises:
        RecordsError: the folder holds no study.
    """
    folder = StudyFolder(path)
    if not path.is_dir() or not holds_study(folder):
        lacking = f"{folder.ledger.name} in it" if path.is_dir() else "such folder"
        raise RecordsError(f"{path} holds no study: there is no {lacking}")
    running = is_held(folder.ledger)
    read = _unread(folder) or read_events(folder)
    contents = contents_of(folder)  # after the ledger: what that tells of is there by now
    if isinstance(read, Finding):
        unread = Check("ledger", "nothing else can be compared", (read,))
        return Verification(path, "damaged", (unread, check_contents(folder, contents)))
    content, record = read
    ledger = check_events(folder, content, record)
    lying = check_contents(folder, contents, None if running else frozenset(record.trials))
    if ledger.findings:
        return Verification(path, "damaged", (ledger, lying))
    state = "running" if running else "finished" if record.finished else "interrupted"
    compared = _compared(folder, contents, content, record, running=running)
    return Verification(path, state, (ledger, *compared, lying))


def _unread(folder: StudyFolder) -> Finding | None:
    """Why a ledger that cannot be the study's is not even read."""
    name = folder.ledger.name
    if folder.ledger.is_symlink():
        return Finding(name, "is a link", NO_COPY)
    return None if folder.ledger.is_file() else Finding(name, "is missing", NO_COPY)


def _compared(
    folder: StudyFolder, contents: Contents, content: LedgerContent, record: StudyRecord, *, running: bool
) -> tuple[Check, ...]:
    """Everything that the ledger says something about."""
    if not record.settings or record.started is None:
        return (Check("settings", "no study has begun here"),)
    try:
        recorded = recorded_config(folder, record.settings)
        study = Study(recorded)
    except RequestError as error:
        return (Check("settings", "unusable", (Finding(folder.ledger.name, str(error), NO_COPY, "settings"),)),)
    settings, config = check_settings(folder, contents, recorded)
    trials = check_trials(folder, contents, study, record)
    if any(finding.file == folder.ledger.name for finding in trials.findings):
        return (settings, trials, Check("results", "not compared: the trials are not those of the ledger's settings"))
    digests = {event.trial_id: event.weights for event in content.events if isinstance(event, TrialFinished)}
    checks = (
        settings,
        trials,
        check_choices(folder, study, record),
        check_weights(folder, contents, record, digests),
    )
    if running:
        return (*checks, Check("results", "not compared: a sweep is running here"))
    opened = OpenedStudy(config, recorded, content, record)
    return (
        *checks,
        check_checkpoints(folder, contents, record),
        *check_derived(folder, contents, opened),
        check_mirror(folder, contents, opened),
    )
