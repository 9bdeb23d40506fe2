"""Files of a study that others write: whether they have changed, and what the results say."""

from pathlib import Path

from actsweep.records import StudyFolder
from actsweep.studies import verdict_counts

Stamp = tuple[int, int, int] | None


def verdicts(folder: StudyFolder) -> tuple[tuple[str, int], ...]:
    """How many claims have each verdict in the results as they were last written; empty where they are damaged."""
    try:
        folder.refuse_links()
        return verdict_counts(folder)
    except Exception:  # damaged results can be made anew; what counts is the ledger
        return ()


def stamp(path: Path) -> Stamp:
    """What tells that a file has changed; None where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
