"""The ledger: one JSON line an event, append-only, each line with a checksum.

A line is a JSON object whose last key `crc` is the CRC-32 (8 hex digits) of the line's bytes before it. Numbers that
JSON cannot say are the texts nan, inf and -inf. At most `SYNC_SECONDS` of evaluations are at risk when the power fails;
the end of a trial never is.
"""

import fcntl
import json
import math
import os
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from actsweep.errors import RecordsError
from actsweep.events import EVENT_TYPES, Evaluation, Event, StudyRecord

FORMAT = 1
SYNC_SECONDS = 1.0
_CRC = b',"crc":"'
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True)
class LedgerContent:
    """What a ledger holds.

    Attributes:
        events: all whole events, in order.
        torn_bytes: length of a last line that was cut off in writing, and is ignored; usually 0.
    """

    events: tuple[Event, ...]
    torn_bytes: int

    def fold(self) -> StudyRecord:
        """The state that the events lead to.

        Raises:
            RecordsError: an event is of a trial that has not begun, so lines are missing or in another order.
        """
        record = StudyRecord()
        for number, event in enumerate(self.events, start=1):
            try:
                record(event)
            except KeyError as error:
                raise RecordsError(
                    f"the ledger's line {number} is of trial {error}, which has not begun: lines before it are missing"
                ) from error
        return record


def read_ledger(path: Path) -> LedgerContent:
    """All events of a ledger; an absent file is an empty ledger.

    Raises:
        RecordsError: a line other than a cut-off last one is damaged; the message says where.
    """
    raw = path.read_bytes() if path.exists() else b""
    whole, _, torn = raw.rpartition(b"\n")
    events, offset = [], 0
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        events.append(_decode(line, f"{path}: line {number} (byte {offset})"))
        offset += len(line) + 1
    return LedgerContent(tuple(events), len(torn))


class Ledger:
    """The single writer of a study's ledger, as a context manager; the lock dies with the process.

    Raises:
        RecordsError: another process writes this study, or the file system cannot lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._synced = time.monotonic()
        self._unsynced = False

    def __enter__(self) -> Self:
        self._lock = _locked(self._path.with_suffix(".lock"))
        self.content = read_ledger(self._path)
        self._file = self._path.open("ab")
        if self.content.torn_bytes:
            self._file.truncate(self._path.stat().st_size - self.content.torn_bytes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sync()
        self._file.close()
        os.close(self._lock)

    def __call__(self, *events: Event) -> None:
        """Append events in one go, so that a process that is killed has written all of them or none.

        Anything but an evaluation is on the disk when this returns.
        """
        self._file.write(b"".join(_encode(event) + b"\n" for event in events))
        self._file.flush()
        self._unsynced = self._unsynced or bool(events)
        if all(isinstance(event, Evaluation) for event in events):
            self.sync_if_due()
        else:
            self.sync()

    def sync_if_due(self) -> None:
        """Bring reports older than `SYNC_SECONDS` to the disk."""
        if self._unsynced and time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Bring everything written to the disk."""
        if self._unsynced:
            os.fsync(self._file.fileno())
        self._unsynced = False
        self._synced = time.monotonic()


def _encode(event: Event) -> bytes:
    tree = {"v": FORMAT, "event": event.kind} | {field.name: getattr(event, field.name) for field in fields(event)}
    body = json.dumps(_sayable(tree), separators=(",", ":"), allow_nan=False).encode()[:-1]
    return body + _CRC + b"%08x" % zlib.crc32(body) + b'"}'


def _decode(line: bytes, place: str) -> Event:
    body, _, crc = line.rpartition(_CRC)
    if crc != b"%08x" % zlib.crc32(body) + b'"}':
        raise RecordsError(f"{place} is damaged: its checksum does not fit. Everything before it is whole.")
    tree = json.loads(body + b"}")
    if tree.pop("v") != FORMAT:
        raise RecordsError(f"{place} was written by another version of actsweep; this one reads format {FORMAT}")
    for measured in ("row", "final"):
        if measured in tree:
            tree[measured] = {key: _NON_FINITE.get(value, value) for key, value in tree[measured].items()}
    return EVENT_TYPES[tree.pop("event")](**tree)


def _sayable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace")
        os.close(descriptor)
        raise RecordsError(f"{path.parent} is in use by another actsweep ({holder}); wait for it, or end it") from None
    except OSError as error:
        os.close(descriptor)
        raise RecordsError(
            f"{path.parent}: this file system cannot lock files ({error.strerror}); choose another run.root"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()} on {socket.gethostname()}".encode(), 0)
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process writes the study of this ledger now; nothing is created or changed."""
    try:
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDONLY)
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
    descriptor = _locked(path.with_suffix(".lock"))
    try:
        yield
    finally:
        os.close(descriptor)
