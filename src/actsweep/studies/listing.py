"""All studies in a folder, damaged ones too."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from actsweep.errors import RecordsError, RequestError
from actsweep.records import StudyFolder, holds_study, read_results
from actsweep.report.wording import clean
from actsweep.studies.status import status_of

LONGEST_DAMAGE = 200  # characters


@dataclass(frozen=True)
class StudyEntry:
    """One line of the list of studies.

    Attributes:
        name: its folder's name.
        path: its folder.
        state: finished, running, interrupted or damaged.
        done: trials that have ended with a result.
        failed: trials that have failed for good.
        planned: trials in all.
        time: when something last happened, in seconds since the epoch.
        verdicts: how many claims have each verdict; empty before there are results.
        damage: what is wrong with a damaged one.
    """

    name: str
    path: Path
    state: str
    done: int = 0
    failed: int = 0
    planned: int = 0
    time: float | None = None
    verdicts: tuple[tuple[str, int], ...] = ()
    damage: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; the time in ISO 8601."""
        return {
            "name": self.name,
            "path": str(self.path),
            "state": self.state,
            "trials": {"done": self.done, "failed": self.failed, "planned": self.planned},
            "time": None
            if self.time is None
            else datetime.fromtimestamp(self.time).astimezone().isoformat("T", "seconds"),
            "verdicts": dict(self.verdicts),
            "damage": self.damage or None,
        }


def list_studies(root: Path) -> list[StudyEntry]:
    """The studies directly below a folder, the latest first, damaged ones last.

    Raises:
        RequestError: there is no such folder.
    """
    if not root.is_dir():
        raise RequestError(f"{root}: no such folder; give the one that holds your studies: --root DIR")
    entries = [_entry(path) for path in sorted(root.iterdir()) if _holds_study(path)]
    return sorted(entries, key=lambda entry: -(entry.time or 0))


def latest_study(root: Path) -> Path:
    """The folder of the study below `root` in which something happened last.

    Raises:
        RecordsError: there is none.
    """
    found = [path for path in root.iterdir() if _holds_study(path)] if root.is_dir() else []
    if not found:
        raise RecordsError(f"{root} holds no study; give a study's folder")
    return max(found, key=_touched)


def _touched(path: Path) -> float:
    folder = StudyFolder(path)
    return max(file.stat().st_mtime for file in (folder.config_file, folder.ledger) if file.exists())


def _holds_study(path: Path) -> bool:
    return path.is_dir() and holds_study(StudyFolder(path))


def _entry(path: Path) -> StudyEntry:
    try:
        status = status_of(path)
        return StudyEntry(
            path.name,
            path,
            status.state,
            status.sum("done"),
            status.sum("failed"),
            status.sum("total"),
            status.time,
            verdict_counts(StudyFolder(path)),
        )
    except Exception as error:  # whatever a damaged file leads to
        return StudyEntry(path.name, path, "damaged", damage=clean(str(error) or type(error).__name__, LONGEST_DAMAGE))


def verdict_counts(folder: StudyFolder) -> tuple[tuple[str, int], ...]:
    """How many claims have each verdict in the results as they were last written; empty where there are none.

    Raises:
        RecordsError: the file is damaged.
    """
    if not folder.results.exists():
        return ()
    counts = Counter(row["verdict"] for row in read_results(folder)["verdicts"] if row["phase"] == "replicate")
    return tuple(counts.most_common())
