"""Files of bytes on the local disk, each with a sidecar that proves it whole. Where they are is the user's to say:
`$ACTSWEEP_CACHE`, else `$XDG_CACHE_HOME/actsweep`, else `~/.cache/actsweep`.
"""

import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from actsweep.errors import DataError

SILENT_SECONDS = 2.0


def digest(content: object) -> str:
    """SHA-256, as hex, of something that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def cache_folder() -> Path:
    """The folder of all entries, absolute; it need not exist."""
    if own := os.environ.get("ACTSWEEP_CACHE"):
        root = Path(own)
    elif shared := os.environ.get("XDG_CACHE_HOME"):
        root = Path(shared) / "actsweep"
    else:
        root = Path.home() / ".cache" / "actsweep"
    return root.expanduser().absolute() / "data"


def entry_folder(key: str) -> Path:
    """The folder of one entry, absolute; it need not exist."""
    return cache_folder() / key


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Hold an entry for writing, created if it is missing; other processes wait. A killed process holds nothing.

    Raises:
        DataError: the entry cannot be created or locked.
    """
    try:
        lock = _acquired(entry)
    except OSError as error:
        raise unusable(entry, error) from error
    with lock:
        try:
            yield
        finally:
            _remove_if_empty(entry)


def _acquired(entry: Path) -> TextIO:
    """The entry's lock, open and held: not one that its last holder has removed in the meantime."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    path = entry / "lock"
    while True:
        with suppress(FileExistsError):
            entry.mkdir()
        with suppress(FileNotFoundError):
            lock = path.open("w")
            _wait_for(lock, entry)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                    return lock
            lock.close()


def _wait_for(lock: TextIO, entry: Path) -> None:
    """Lock a file; a wait that the user could notice is told."""
    patience = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < patience:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.05)
    logging.getLogger(__name__).warning("another actsweep prepares the same data; waiting for it (%s)", entry)
    fcntl.flock(lock, fcntl.LOCK_EX)


def _remove_if_empty(entry: Path) -> None:
    """A request that was refused leaves no entry behind."""
    with suppress(OSError):
        if [path.name for path in entry.iterdir()] == ["lock"]:
            (entry / "lock").unlink()
            entry.rmdir()


@contextmanager
def scratch(entry: Path) -> Iterator[Path]:
    """A folder within an entry for what is on its way; gone afterwards. The entry must be locked.

    Raises:
        DataError: the disk is full or not writable.
    """
    folder = entry / "scratch"
    try:
        shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
        folder.mkdir()
        yield folder
    except OSError as error:
        raise unusable(entry, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(path: Path, chunks: Iterable[NDArray[Any]], notes: dict[str, Any]) -> None:
    """Write the bytes of arrays one after another, then their sidecar; both appear whole or not at all.

    The entry must be locked. Whoever has an earlier version of the file mapped keeps it.

    Raises:
        DataError: the disk is full or not writable.
    """
    part = path.with_suffix(".part")
    checksum = hashlib.sha256()
    size = 0
    try:
        with _translated(path), part.open("wb") as file:
            for chunk in chunks:
                data = np.ascontiguousarray(chunk).tobytes()
                checksum.update(data)
                size += file.write(data)
            part.replace(path)
            record = {"bytes": size, "sha256": checksum.hexdigest(), "notes": notes}
            part.write_text(json.dumps({"record": record, "check": digest(record)}))
            part.replace(_sidecar(path))
    finally:
        part.unlink(missing_ok=True)


def recorded(path: Path) -> dict[str, Any] | None:
    """The sidecar's record (`bytes`, `sha256`, `notes`), or None if it is damaged or the file has another size."""
    try:
        sidecar = json.loads(_sidecar(path).read_text())
        record: dict[str, Any] = sidecar["record"]
        whole = bool(sidecar["check"] == digest(record) and path.stat().st_size == record["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None


def intact(path: Path) -> bool:
    """Whether a file has the size and the checksum of its sidecar. Reads all of it, at over 1 GB/s where cached."""
    record = recorded(path)
    if record is None:
        return False
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return bool(checksum == record["sha256"])


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(path.parent, error) from error


def unusable(entry: Path, error: OSError) -> DataError:
    """The refusal of a cache that cannot be written or read."""
    return DataError(
        f"the cache folder {entry} cannot be used: {error.strerror or error}; "
        "set ACTSWEEP_CACHE to a folder on a local disk that is writable and has room"
    )
