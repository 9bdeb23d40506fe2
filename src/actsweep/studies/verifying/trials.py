"""Whether settings, trials and what lies in their folders are those that the ledger tells of."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actsweep.errors import RequestError
from actsweep.events import StudyRecord
from actsweep.plural import count
from actsweep.records import RESUME_FILE, TRIAL_FILE, StudyFolder, best_of_cells, read_trial
from actsweep.report.wording import clean
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.studies.cleaning import WEIGHTS
from actsweep.studies.verifying.contents import TRIALS, Contents
from actsweep.studies.verifying.events import NO_COPY
from actsweep.studies.verifying.findings import Check, Finding
from actsweep.study import Study, all_settings, changed_settings, trial_id

_NO_COPY_NEEDED = "the results do not need it; only a copy can bring it back"


def check_settings(folder: StudyFolder, contents: Contents, recorded: StudyConfig) -> tuple[Check, StudyConfig]:
    """study.yaml against the settings in the ledger.

    Returns:
        the check, and the settings to go by: those of the file, where it can be read, for where and how a study runs.
    """
    name = folder.config_file.name
    anew = f"actsweep resume {folder.path} makes it anew from the ledger"
    if name not in contents.files:
        return Check("settings", "no study.yaml", (Finding(name, "is missing", anew),)), recorded
    try:
        config = folder.read_config()
    except (RequestError, OSError) as error:
        return Check("settings", "unreadable", (Finding(name, str(error), anew),)), recorded
    changes = changed_settings(recorded, config)
    findings = tuple(
        Finding(
            name, f"is {now!r}, in the ledger {before!r}", f"change it back; or rm {folder.config_file}: {anew}", key
        )
        for key, before, now in changes
    )
    before, now = all_settings(recorded), all_settings(config)
    important = {key for key, *_ in changes}
    notes = tuple(
        f"{name}, {key}: {now.get(key)!r}, in the ledger {before.get(key)!r}; no result depends on it"
        for key in sorted({*before, *now} - important)
        if before.get(key) != now.get(key)
    )
    return Check("settings", count(len(now), "setting"), findings, notes), config


def check_trials(folder: StudyFolder, contents: Contents, study: Study, record: StudyRecord) -> Check:
    """Each trial's id, against what it is trained with; and its trial.yaml against both."""
    assert record.started is not None
    fingerprint = record.started.data["fingerprint"]
    findings: list[Finding] = []
    notes: list[str] = []
    for name, trial in record.trials.items():
        start, file = trial.started, f"{TRIALS}/{name}/{TRIAL_FILE}"
        try:
            config = study.trial_config(study.cell_at(start.cell), start.nuisance, start.seed)
        except RequestError as error:
            findings.append(Finding(folder.ledger.name, str(error), NO_COPY, f"trial {name}"))
            continue
        if trial_id(config, fingerprint) != name:
            problem = f"its settings, seed and images give the id {trial_id(config, fingerprint)}"
            findings.append(Finding(folder.ledger.name, problem, NO_COPY, f"trial {name}"))
        elif file in contents.files:
            findings += _wrong_settings(folder, file, config, fingerprint, notes)
        elif trial.rows:
            findings.append(Finding(file, "is missing", _NO_COPY_NEEDED))
    return Check("trials", count(len(record.trials), "trial"), tuple(findings), tuple(notes))


def check_weights(
    folder: StudyFolder, contents: Contents, record: StudyRecord, recorded: Mapping[str, Mapping[str, str]]
) -> Check:
    """The weights of ended trials, by their digests; where the ledger has none, by whether they can be loaded.

    Args:
        folder: the study's.
        contents: what lies there.
        record: what has happened.
        recorded: SHA-256, in hex, by trial and name of the file.
    """
    findings: list[Finding] = []
    compared, unrecorded, removed = 0, 0, 0
    kept = set(best_of_cells(record))
    for name, trial in record.trials.items():
        if not trial.ended:
            continue
        there = [weights for weights in WEIGHTS if f"{TRIALS}/{name}/{weights}" in contents.files]
        digests = recorded.get(name, {})
        if digests and not there and name not in kept:
            removed += 1
            continue
        for weights in WEIGHTS if digests else there:
            file = f"{TRIALS}/{name}/{weights}"
            problem = _wrong_weights(folder.path / file, digests) if weights in there else "is missing"
            findings += [Finding(file, problem, _NO_COPY_NEEDED)] if problem else []
        compared += len(there) if digests else 0
        unrecorded += 0 if digests else len(there)
    notes = [f"{count(unrecorded, 'file')} of trials without recorded digests: only loaded"] * bool(unrecorded)
    notes += [f"the weights of {count(removed, 'trial')} are gone, as after actsweep clean --checkpoints"] * bool(
        removed
    )
    return Check("weights", f"{count(compared, 'file')} compared", tuple(findings), tuple(notes))


def check_checkpoints(folder: StudyFolder, contents: Contents, record: StudyRecord) -> Check:
    """The checkpoints that trials without a result would go on from; one that is damaged is never used."""
    lacking = [name for name, trial in record.trials.items() if not trial.has_result]
    there = [name for name in lacking if f"{TRIALS}/{name}/{RESUME_FILE}" in contents.files]
    findings = [
        Finding(f"{TRIALS}/{name}/{RESUME_FILE}", problem, f"actsweep resume {folder.path} begins that trial anew")
        for name in there
        if (problem := _resume_problem(folder.trial(name), name))
    ]
    return Check("checkpoints", f"{count(len(there), 'trial')} to go on from", tuple(findings))


def _wrong_settings(
    folder: StudyFolder, file: str, config: TrialConfig, fingerprint: str, notes: list[str]
) -> Iterator[Finding]:
    path = folder.path / file
    try:
        found = read_trial(path.parent)
    except (RequestError, OSError) as error:
        yield Finding(file, clean(error).removeprefix(f"{clean(path)} "), _NO_COPY_NEEDED)
        return
    differences = list(_differences(config.model_dump(mode="json"), found.model_dump(mode="json")))
    if trial_id(found, fingerprint) != trial_id(config, fingerprint):
        yield from (
            Finding(file, problem, f"change it back, or: {_NO_COPY_NEEDED}", key) for key, problem in differences
        )
    else:
        notes += [f"{file}, {key}: {problem}; no result depends on it" for key, problem in differences]


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Where two trees of settings differ, as (dotted path, what is there)."""
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}", f"is {new!r}, by the ledger {old!r}"


def _wrong_weights(path: Path, digests: Mapping[str, str]) -> str | None:
    """Weights that have the recorded digest are those that the trial wrote, so only others are loaded to see."""
    if digests:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        return None if found == digests.get(path.name) else "is not what the trial wrote: its SHA-256 is another"
    from actsweep.train.checkpoint import weights_problem  # loads torch

    problem = weights_problem(path)
    return problem and f"cannot be loaded: {clean(problem)}"


def _resume_problem(folder: Path, trial: str) -> str | None:
    from actsweep.train.checkpoint import resume_problem  # loads torch

    return resume_problem(folder, trial)
