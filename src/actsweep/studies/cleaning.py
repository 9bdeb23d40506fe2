"""What may be removed from studies and from the data cache: what is rebuilt when needed, or never needed again.

A ledger, a configuration, results and reports never are. Symbolic links are never followed, nor removed.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from actsweep.data import cache_folder
from actsweep.errors import RecordsError, RequestError
from actsweep.records import (
    BEST_WEIGHTS,
    LAST_WEIGHTS,
    StudyFolder,
    best_of_cells,
    held,
    is_held,
    open_study,
    read_ledger,
)

# Names that a file has while it is written; one that is still there was left by a process that died.
UNFINISHED = re.compile(
    r"\.(study\.yaml|curves\.parquet|results\.json|report\.html|optuna\.db|trial\.yaml|\w+\.ckpt)\b.*"
)
_OF_CACHE = re.compile(r"(pixels|order-\d+)\.(bin|json|part)|lock|\.?cifar-10-python\.tar\.gz(\.\d+)?")
_ENTRY = re.compile(r"(digits|cifar10)-\d+|[0-9a-f]{24}")  # the cache may be a folder that holds other things too
WEIGHTS = (LAST_WEIGHTS, BEST_WEIGHTS)


@dataclass(frozen=True)
class Removal:
    """Something that may be removed.

    Attributes:
        path: the file or folder.
        what: what it is.
        bytes: how much it holds.
    """

    path: Path
    what: str
    bytes: int


def clean_up(run_dirs: Sequence[Path], *, checkpoints: bool, cache: bool, remove: bool) -> list[Removal]:
    """Find what may go, and remove it if asked to.

    Args:
        run_dirs: studies whose left-overs may go: scratch folders, half-written files, and of trials that have a
            result whatever is only needed to continue them.
        checkpoints: weights of trials with a result too, but for the best trial of each cell.
        cache: the decoded data sets.
        remove: whether to remove it, or only to find it.

    Raises:
        RequestError: a folder holds no study or a damaged one, or a study or the cache is in use; then nothing goes.
    """
    folders = [StudyFolder(path) for path in run_dirs]
    with ExitStack() as stack:
        for folder in folders:
            open_study(folder)
            if remove:
                stack.enter_context(held(folder.ledger))
            elif is_held(folder.ledger):
                raise RecordsError(f"{folder.path} is in use: a sweep is running there")
        found = [removal for folder in folders for removal in _of_study(folder, checkpoints)]
        if cache:
            found += stack.enter_context(_of_cache(remove=remove))
        if remove:
            for removal in found:
                _remove(removal.path)
    return found


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _of_study(folder: StudyFolder, checkpoints: bool) -> Iterator[Removal]:
    record = read_ledger(folder.ledger).fold()
    if _is_folder(folder.scratch):
        yield Removal(folder.scratch, "scratch folder", _bytes_below(folder.scratch))
    yield from _files(folder.path, UNFINISHED, "half-written file")
    trials = folder.trial("any").parent
    if not _is_folder(trials):
        return
    kept = set(best_of_cells(record))
    for trial in sorted(trials.iterdir()):
        if _is_folder(trial):
            yield from _files(trial, UNFINISHED, "half-written file")
            if trial.name in record.trials and record.trials[trial.name].has_result:
                yield from _checkpoints(trial, weights_too=checkpoints and trial.name not in kept)


def _checkpoints(trial: Path, *, weights_too: bool) -> Iterator[Removal]:
    for removal in _files(trial, re.compile(r"\w+\.ckpt"), "weights"):
        if removal.path.name not in WEIGHTS:
            yield Removal(removal.path, "checkpoint to continue from", removal.bytes)
        elif weights_too:
            yield removal


@contextmanager
def _of_cache(*, remove: bool) -> Iterator[list[Removal]]:
    """The entries of the data cache, held for the length of the block; afterwards the emptied ones go, if asked to.

    Raises:
        RequestError: an entry is in use.
    """
    root = cache_folder()
    found: list[Removal] = []
    entries = [path for path in sorted(root.iterdir()) if _is_entry(path)] if _is_folder(root) else []
    with ExitStack() as stack:
        for entry in entries:
            stack.enter_context(_unused(entry))
            found += _files(entry, _OF_CACHE, "decoded data")
            if _is_folder(entry / "scratch"):
                found.append(Removal(entry / "scratch", "scratch folder", _bytes_below(entry / "scratch")))
        yield found
        for entry in entries:
            if remove and not any(entry.iterdir()):
                entry.rmdir()


def _is_entry(path: Path) -> bool:
    return _is_folder(path) and bool(_ENTRY.fullmatch(path.name))


@contextmanager
def _unused(entry: Path) -> Iterator[None]:
    with ExitStack() as stack:
        lock = entry / "lock"
        if lock.is_file():
            file = stack.enter_context(lock.open("rb"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RequestError(f"--cache: {entry} is being written by another actsweep; wait for it") from None
        for maps in Path("/proc").glob("[0-9]*/maps"):
            if _mentions(maps, entry):
                raise RequestError(f"--cache: {entry} is in use by process {maps.parent.name}; wait for it")
        yield


def _mentions(maps: Path, entry: Path) -> bool:
    try:
        return f" {entry}{os.sep}" in maps.read_text(errors="replace")
    except OSError:  # another user's process, or one that has just ended
        return False


def _files(folder: Path, name: re.Pattern[str], what: str) -> Iterator[Removal]:
    for path in sorted(folder.iterdir()):
        if name.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            yield Removal(path, what, path.stat().st_size)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _bytes_below(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
