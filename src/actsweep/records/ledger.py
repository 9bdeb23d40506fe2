"""The ledger: one JSON line an event, append-only, each line with a checksum.

A line is a JSON object whose last key `crc` is the CRC-32 (8 hex digits) of the bytes before it, over all lines from
the first: a line that is missing, twice there or in another place is found like a changed one. Numbers that JSON cannot
say are the texts nan, inf and -inf. At most `SYNC_SECONDS` of evaluations are at risk when the power fails;
the end of a trial never is.
"""

import os
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from actsweep.errors import RecordsError
from actsweep.events import Evaluation, Event, StudyRecord, Subscriber
from actsweep.records.files import sync_folder
from actsweep.records.lines import encode
from actsweep.records.lock import locked
from actsweep.records.reader import LedgerReader, crc_of

SYNC_SECONDS = 1.0


@dataclass(frozen=True)
class LedgerContent:
    """What a ledger holds.

    Attributes:
        events: all whole events, in order.
        torn_bytes: length of a last line that was cut off in writing, and is ignored; usually 0.
        crc: the checksum of the last whole line, from which that of the next follows.
        file_crc: the CRC-32 of the file, by which one that has not changed since is known.
        size: of the file, in bytes.
    """

    events: tuple[Event, ...]
    torn_bytes: int
    crc: int = 0
    file_crc: int = 0
    size: int = 0

    def fold(self) -> StudyRecord:
        """The state that the events lead to.

        Raises:
            RecordsError: an event is of a trial that has not begun, so lines are missing or in another order.
        """
        record = StudyRecord()
        fold(record, self.events)
        return record


def fold(take: Subscriber, events: Iterable[Event], first: int = 1) -> None:
    """Hand events to what keeps a record.

    Args:
        take: a `StudyRecord`, or what holds one, in which the events before them are.
        events: the events, in the order of the ledger.
        first: the number of the line that holds the first of them.

    Raises:
        RecordsError: an event is of a trial that has not begun, so lines are missing or in another order.
    """
    for number, event in enumerate(events, start=first):
        try:
            take(event)
        except KeyError as error:
            raise RecordsError(
                f"the ledger's line {number} is of trial {error}, which has not begun: lines before it are missing"
            ) from error


def read_ledger(path: Path, known: LedgerContent | None = None) -> LedgerContent:
    """All events of a ledger; an absent file is an empty ledger.

    Args:
        path: the file.
        known: what it held when it was read before, which is what it holds where it has not changed since.

    Raises:
        RecordsError: a line other than a cut-off last one is damaged; the message says where.
    """
    if known is not None and _is_unchanged(path, known):
        return known
    reader = LedgerReader(path)
    events = reader.read().events
    torn = reader.torn
    file_crc = zlib.crc32(torn, reader.file_crc)
    return LedgerContent(events, len(torn), reader.crc, file_crc, reader.size + len(torn))


def _is_unchanged(path: Path, known: LedgerContent) -> bool:
    if not path.exists() or path.stat().st_size != known.size:
        return False
    with path.open("rb") as file:
        return crc_of(file, known.size) == known.file_crc


class Ledger:
    """The single writer of a study's ledger, as a context manager; the lock dies with the process.

    Args:
        path: the file.
        known: what it held when it was read before; see `read_ledger`.

    Raises:
        RecordsError: another process writes this study, or the file system cannot lock.
    """

    def __init__(self, path: Path, known: LedgerContent | None = None) -> None:
        self._path = path
        self._known = known
        self._synced = time.monotonic()
        self._unsynced = False

    def __enter__(self) -> Self:
        self._lock = locked(self._path)
        try:
            self.content = read_ledger(self._path, self._known)
            self._crc = self.content.crc
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except BaseException:
            os.close(self._lock)
            raise
        self._size = os.fstat(self._file).st_size - self.content.torn_bytes
        os.ftruncate(self._file, self._size)
        sync_folder(self._path.parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.sync()
        finally:
            os.close(self._file)
            os.close(self._lock)

    def __call__(self, *events: Event) -> None:
        """Append events in one go, so that a process that is killed has written all of them or none.

        Anything but an evaluation is on the disk when this returns.

        Raises:
            OSError: the disk is full, or fails; then none of the events is in the ledger.
        """
        self._append(events)
        self._unsynced = self._unsynced or bool(events)
        if all(isinstance(event, Evaluation) for event in events):
            self.sync_if_due()
        else:
            self.sync()

    def _append(self, events: Sequence[Event]) -> None:
        lines, crc = [], self._crc
        for event in events:
            line, crc = encode(event, crc)
            lines.append(line)
        content = b"".join(lines)
        try:
            written = 0
            while written < len(content):
                written += os.write(self._file, content[written:])
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        self._size += len(content)
        self._crc = crc

    def sync_if_due(self) -> None:
        """Bring reports older than `SYNC_SECONDS` to the disk."""
        if self._unsynced and time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Bring everything written to the disk."""
        if self._unsynced:
            os.fsync(self._file)
        self._unsynced = False
        self._synced = time.monotonic()
