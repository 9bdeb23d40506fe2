"""A study's folder copied from where a cluster keeps it."""

import shutil
from pathlib import Path

from actsweep.errors import RequestError
from actsweep.records import StudyFolder, holds_study

_LEFT = (".scratch", "ledger.lock")  # of the process that runs the study


def fetch_study(source: Path, target: Path) -> int:
    """Copy a study's folder; one that was copied before gets what is new.

    The ledger is copied first, so that whatever it names is in what follows, or is made again by `resume`.

    Args:
        source: where the cluster keeps it, as this machine sees it.
        target: the folder here.

    Returns:
        how many files were copied.

    Raises:
        RequestError: this machine does not see the folder, or the target holds something else.
    """
    if not holds_study(StudyFolder(source)):
        raise RequestError(
            f"{source}: no study is there, as far as this machine can see; fetch needs cluster.storage to be mounted "
            "here too, at the same path"
        )
    if target.exists() and not _same_study(source, target):
        raise RequestError(f"--out {target}: holds something else; give another folder: --out DIR")
    target.mkdir(parents=True, exist_ok=True)
    files = [path for path in source.rglob("*") if path.is_file() and path.relative_to(source).parts[0] not in _LEFT]
    for file in sorted(files, key=lambda file: (file.name != "ledger.jsonl", file)):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    return len(files)


def _same_study(source: Path, target: Path) -> bool:
    """Whether the target is empty, or an earlier copy: then its ledger is how the source's begins."""
    if not any(target.iterdir()):
        return True
    here, there = StudyFolder(target).ledger, StudyFolder(source).ledger
    if not here.is_file():
        return False
    return there.read_bytes().startswith(here.read_bytes())
