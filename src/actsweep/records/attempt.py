"""One attempt at a trial: its log, and the right to write into the trial's folder, which the next attempt takes over.

An attempt begins by making its log, `attempt-N.log`. From then on every earlier attempt is outdated: a worker that was
frozen or cut off, and comes back, finds that log and writes nothing more.
"""

import os
import re
import socket
import time
from pathlib import Path
from typing import BinaryIO

from actsweep.errors import OutdatedError
from actsweep.records.files import sync_folder
from actsweep.system.redaction import redacted

_LOG = re.compile(r"attempt-(\d{1,9})\.log")
_PARTIAL = re.compile(r"\..+\.(\d{1,9})")


class Attempt:
    """One attempt at a trial.

    Args:
        folder: the trial's.
        number: the attempt's, from 1.

    Attributes:
        weights: SHA-256, in hex, of each file of weights that the attempt has written, by name.
    """

    def __init__(self, folder: Path, number: int = 1) -> None:
        self.folder = folder
        self.number = number
        self.weights: dict[str, str] = {}

    @property
    def log(self) -> Path:
        """What the attempt has to say, and the sign that it has begun."""
        return self.folder / f"attempt-{self.number}.log"

    @property
    def outdated(self) -> bool:
        """Whether a later attempt has begun."""
        return latest_attempt(self.folder) > self.number

    def begin(self) -> None:
        """Make the log, and take away what earlier attempts were about to write, so that none of it can appear later.

        Raises:
            OutdatedError: an attempt of this number, or a later one, has begun before.
            OSError: the log cannot be made.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            _opened(self.log, os.O_EXCL).close()
        except FileExistsError:
            raise OutdatedError(f"attempt {self.number} has begun before") from None
        self._require_latest()
        for path in self.folder.iterdir():
            if (found := _PARTIAL.fullmatch(path.name)) and int(found[1]) < self.number:
                path.unlink(missing_ok=True)
        self.note(f"attempt {self.number} begins on {socket.gethostname()}, pid {os.getpid()}")

    def note(self, text: str) -> None:
        """Add a paragraph, with the time and without secrets, to the log."""
        with self.open_log() as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {redacted(text.rstrip())}\n".encode())

    def open_log(self) -> BinaryIO:
        """The log, open to be added to."""
        return _opened(self.log, os.O_APPEND)

    def replace(self, name: str, *parts: bytes | memoryview, durable: bool = False) -> None:
        """Write a file of the trial's folder whole or not at all; on a full disk nothing of it stays.

        A later attempt that begins meanwhile removes what is being written before it writes anything itself. So
        whatever the order of the two, what this attempt writes is never there after what the later one wrote.

        Args:
            name: the file's.
            parts: its content.
            durable: whether the content is on the disk when this returns, so that no power failure can undo it.

        Raises:
            OutdatedError: a later attempt has begun; the file is as it was.
            OSError: it cannot be written; the file is as it was.
        """
        partial = self._partial(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with _opened(partial, os.O_TRUNC) as file:
                for part in parts:
                    file.write(part)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            self._require_latest()
            partial.replace(self.folder / name)
            if durable:
                sync_folder(self.folder)
        except OSError as error:
            self._require_latest()  # the error may be that the next attempt has taken the file away
            raise OSError(error.errno, error.strerror, str(self.folder / name)) from error
        finally:
            partial.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file of the trial's folder, and what an interrupted attempt to write it left.

        Raises:
            OutdatedError: a later attempt has begun; the file stays.
        """
        self._require_latest()
        (self.folder / name).unlink(missing_ok=True)
        self._partial(name).unlink(missing_ok=True)

    def end(self) -> None:
        """What is left to do when the attempt has ended, however it did: nothing, as its files are in their place."""

    def _require_latest(self) -> None:
        if self.outdated:
            raise OutdatedError(f"attempt {self.number} is outdated: a later one has begun")

    def _partial(self, name: str) -> Path:
        return self.folder / f".{name}.{self.number}"


def attempt_logs(folder: Path) -> list[Path]:
    """The logs of all attempts at the trial whose folder this is, in order; none where there is no such folder."""
    return [log for _, log in sorted(_logs(folder))]


def latest_attempt(folder: Path) -> int:
    """The number of the latest attempt at a trial that has begun; 0 where none has."""
    return max((number for number, _ in _logs(folder)), default=0)


def _logs(folder: Path) -> list[tuple[int, Path]]:
    try:
        return [(int(found[1]), path) for path in folder.iterdir() if (found := _LOG.fullmatch(path.name))]
    except (FileNotFoundError, NotADirectoryError):  # in what is no folder the attempt fails by itself
        return []


def _opened(path: Path, flag: int) -> BinaryIO:
    """A file to write to, made where it is missing; never one that a link leads to."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flag, 0o644), "wb")
