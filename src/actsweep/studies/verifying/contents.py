"""What lies in a study's folder: its own files, links, what a process that died has left, and what is not the study's.

Links are never followed, and what W&B keeps for itself is not looked into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import DirEntry, scandir
from pathlib import Path

from actsweep.plural import count
from actsweep.records import RESUME_FILE, TRIAL_FILE, StudyFolder
from actsweep.report.wording import clean
from actsweep.studies.cleaning import UNFINISHED, WEIGHTS
from actsweep.studies.verifying.findings import Check, Finding

TRIALS = "trials"
_OF_STUDY = re.compile(
    r"study\.yaml|ledger\.(jsonl|lock)|curves\.parquet|results\.json|report\.html|optuna\.db(-journal|-wal|-shm)?"
)
_OF_TRIAL = re.compile("|".join(map(re.escape, (TRIAL_FILE, RESUME_FILE, *WEIGHTS))) + r"|attempt-\d+\.log")
_FOLDERS = ("wandb", ".scratch", "figures", "tables", "tensorboard")
_LISTED = 10


@dataclass(frozen=True)
class Contents:
    """What lies in a study's folder, as paths seen from there.

    Attributes:
        files: the study's own files.
        trials: the folders of trials, by id.
        links: symbolic links in the place of any of these.
        left: files that a process which died was writing.
        others: what is none of the study's.
    """

    files: frozenset[str]
    trials: frozenset[str]
    links: tuple[str, ...]
    left: tuple[str, ...]
    others: tuple[str, ...]


def contents_of(folder: StudyFolder) -> Contents:
    """Look at all names in a study's folder, and at those in its trials' folders."""
    found: dict[str, list[str]] = {kind: [] for kind in ("file", "trial", "link", "left", "other")}
    for kind, name in _walk(folder.path):
        found[kind].append(name)
    return Contents(
        frozenset(found["file"]),
        frozenset(found["trial"]),
        *(tuple(sorted(found[kind])) for kind in ("link", "left", "other")),
    )


def check_contents(folder: StudyFolder, contents: Contents, known: frozenset[str] | None = None) -> Check:
    """Links, which a study never makes, are findings; what is not the study's is told.

    Args:
        folder: the study's.
        contents: what lies there.
        known: the ids of the trials in the ledger; None where it cannot be read, or trials begin at this moment.
    """
    findings = [
        Finding(name, "is a link, and a study's own files never are", f"rm {folder.path / name}, or put a copy there")
        for name in contents.links
    ]
    strangers = [f"{clean(name)} is none of the study's files" for name in contents.others]
    notes = []
    if known is not None:
        strangers += [
            f"{TRIALS}/{clean(name)} is of no trial in the ledger" for name in sorted(contents.trials - known)
        ]
        if contents.left:
            what = count(len(contents.left), "half-written file")
            notes.append(f"{what}, as of {clean(contents.left[0])}; to remove: actsweep clean {folder.path}")
    notes += strangers[:_LISTED] + [f"{len(strangers) - _LISTED} more such"] * (len(strangers) > _LISTED)
    return Check("folder", f"{count(len(contents.files), 'file')} of the study", tuple(findings), tuple(notes))


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """The names in a study's folder, each with its kind."""
    for entry in _entries(root):
        if entry.name == TRIALS and entry.is_dir(follow_symlinks=False):
            for trial in _entries(root / TRIALS):
                yield from _in_trials(root, trial)
        elif entry.is_dir(follow_symlinks=False):
            if entry.name not in _FOLDERS:
                yield "other", entry.name
        else:
            ours = _OF_STUDY.fullmatch(entry.name) or entry.name in (TRIALS, *_FOLDERS)
            yield _kind(entry, bool(ours)), entry.name


def _in_trials(root: Path, trial: "DirEntry[str]") -> Iterator[tuple[str, str]]:
    name = f"{TRIALS}/{trial.name}"
    if not trial.is_dir(follow_symlinks=False):
        yield "link" if trial.is_symlink() else "other", name
        return
    yield "trial", trial.name
    for entry in _entries(root / TRIALS / trial.name):
        yield _kind(entry, bool(_OF_TRIAL.fullmatch(entry.name))), f"{name}/{entry.name}"


def _kind(entry: "DirEntry[str]", ours: bool) -> str:
    if entry.is_symlink():
        return "link" if ours else "other"
    if entry.is_file(follow_symlinks=False):
        return "file" if ours else "left" if UNFINISHED.fullmatch(entry.name) else "other"
    return "other"


def _entries(folder: Path) -> "list[DirEntry[str]]":
    with scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)
