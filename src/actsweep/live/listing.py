"""What lies below the root: the studies by name, and links, which are not followed."""

import os
from dataclasses import dataclass
from pathlib import Path

from actsweep.records import StudyFolder, holds_study


@dataclass(frozen=True)
class Listed:
    """What a root holds.

    Attributes:
        studies: the folders of its studies by name.
        links: the names of links to folders, sorted.
        problem: why it cannot be listed, or should not be; else empty.
    """

    studies: dict[str, Path]
    links: tuple[str, ...] = ()
    problem: str = ""


def listed(root: Path) -> Listed:
    """What a root holds now; one that is not there holds nothing."""
    studies: dict[str, Path] = {}
    links: list[str] = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.is_symlink():
                    links += [entry.name] * entry.is_dir()
                elif entry.is_dir() and _holds(Path(entry.path)):
                    studies[entry.name] = Path(entry.path)
    except FileNotFoundError:
        return Listed({}, problem=f"there is no folder {root} yet")
    except OSError as error:
        return Listed({}, problem=f"{root}: {error.strerror or error}")
    inside = (
        "" if studies or not _holds(root) else f"{root} is itself a study: give the folder that it lies in as --root"
    )
    return Listed(dict(sorted(studies.items())), tuple(sorted(links)), inside)


def _holds(path: Path) -> bool:
    try:
        return holds_study(StudyFolder(path))
    except OSError:  # removed meanwhile, or not ours to look into
        return False
