"""A study's folder while it is not yet sure that a study comes of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from actsweep.records import StudyFolder, holds_study, lock_of


@contextmanager
def made_folder(folder: StudyFolder) -> Iterator[None]:
    """The study's folder, made where it is missing, and taken away again where nothing came of the request."""
    missing = [path for path in (folder.path, *folder.path.parents) if not path.exists()]
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it: this study, or that of a process that began at the same time
            for path in missing:
                path.rmdir()


@contextmanager
def nothing_left(folder: StudyFolder) -> Iterator[None]:
    """Where no study came of the request, its empty ledger goes; only who holds its lock may do that."""
    try:
        yield
    finally:
        if not holds_study(folder):
            for path in (folder.ledger, lock_of(folder.ledger)):
                path.unlink(missing_ok=True)
