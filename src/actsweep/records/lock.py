"""The lock by which a study has one writer at a time; it dies with the process that holds it."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actsweep.errors import RecordsError

_LOOKS, _LOOK_SECONDS = 3, 0.02


def lock_of(path: Path) -> Path:
    """The file by which the study of a ledger is locked."""
    return path.with_suffix(".lock")


def locked(path: Path) -> int:
    """Lock the study of a ledger for this process, until the descriptor that is returned is closed.

    Raises:
        RecordsError: another process has locked it, or the file system cannot lock.
    """
    return _locked(lock_of(path))


def is_held(path: Path) -> bool:
    """Whether a process writes the study of this ledger now; nothing is created or changed."""
    try:
        descriptor = os.open(lock_of(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every other process from writing the study of this ledger, for the length of the block.

    Raises:
        RecordsError: another process writes it, or the file system cannot lock.
    """
    descriptor = locked(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        _lock(descriptor)
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace")
        os.close(descriptor)
        raise RecordsError(f"{path.parent} is in use by another actsweep ({holder}); wait for it, or end it") from None
    except OSError as error:
        os.close(descriptor)
        raise RecordsError(
            f"{path.parent}: this file system cannot lock files ({error.strerror}); choose another run.root"
        ) from error
    if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
        os.close(descriptor)  # its last holder has removed it in the meantime, since no study came of its request
        return _locked(path)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()} on {socket.gethostname()}".encode(), 0)
    return descriptor


def _lock(descriptor: int) -> None:
    """Lock a file; who only looks whether it is locked has the lock for a moment, which is waited for."""
    for _ in range(_LOOKS):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
