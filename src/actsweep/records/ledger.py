"""The ledger: one JSON line an event, append-only, each line with a checksum.

A line is a JSON object whose last key `crc` is the CRC-32 (8 hex digits) of the bytes before it, over all lines from
the first: a line that is missing, twice there or in another place is found like a changed one. Numbers that JSON cannot
say are the texts nan, inf and -inf. At most `SYNC_SECONDS` of evaluations are at risk when the power fails;
the end of a trial never is.
"""

import fcntl
import json
import math
import os
import socket
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import MISSING, dataclass, fields
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from actsweep.errors import RecordsError
from actsweep.events import EVENT_TYPES, Evaluation, Event, StudyRecord, TrialFinished

FORMAT = 2
SYNC_SECONDS = 1.0
LONGEST_LINE = 2**20
_HEAD = b'{"v":%d,"event":"' % FORMAT
_CRC = b',"crc":"'
_MEASURING = (Evaluation, TrialFinished)  # the events that hold numbers which may not be finite
_NON_FINITE = ((b'"nan"', b"NaN"), (b'"inf"', b"Infinity"), (b'"-inf"', b"-Infinity"))


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
        for number, event in enumerate(self.events, start=1):
            try:
                record(event)
            except KeyError as error:
                raise RecordsError(
                    f"the ledger's line {number} is of trial {error}, which has not begun: lines before it are missing"
                ) from error
        return record


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
    events: list[Event] = []
    offset, crc, file_crc, torn = 0, 0, 0, 0
    with path.open("rb") if path.exists() else nullcontext(BytesIO()) as file:
        lines = iter(partial(file.readline, LONGEST_LINE + 1), b"")
        for number, line in enumerate(lines, start=1):
            file_crc = zlib.crc32(line, file_crc)
            if not line.endswith(b"\n") and len(line) <= LONGEST_LINE:
                torn = len(line)
                break
            place = f"{path}: line {number} (byte {offset})"
            crc = _checked(line, crc, place)
            events.append(_decode(line, place))
            offset += len(line)
    return LedgerContent(tuple(events), torn, crc, file_crc, offset + torn)


def _is_unchanged(path: Path, known: LedgerContent) -> bool:
    if not path.exists() or path.stat().st_size != known.size:
        return False
    crc = 0
    with path.open("rb") as file:
        while part := file.read(2**20):
            crc = zlib.crc32(part, crc)
    return crc == known.file_crc


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
        self._lock = _locked(lock_of(self._path))
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
            line, crc = _encode(event, crc)
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


def _encode(event: Event, before: int) -> tuple[bytes, int]:
    """The line of an event, and its checksum, which goes on from the line before."""
    tree = {"v": FORMAT, "event": event.kind} | {field.name: getattr(event, field.name) for field in fields(event)}
    body = json.dumps(_sayable(tree), separators=(",", ":"), allow_nan=False).encode()[:-1]
    crc = zlib.crc32(body, before)
    return b'%s%s%08x"}\n' % (body, _CRC, crc), crc


def _checked(line: bytes, before: int, place: str) -> int:
    """The checksum of a whole line, compared with the one that it should have after the line before."""
    body, _, end = line.rpartition(_CRC)
    crc = zlib.crc32(body, before)
    if end == b'%08x"}\n' % crc and len(line) <= LONGEST_LINE:
        return crc
    if end == b'%08x"}\n' % zlib.crc32(body) and body.startswith(b'{"v":1,'):
        raise RecordsError(_other_format(place))
    raise RecordsError(
        f"{place} is damaged, or lines before it are missing: its checksum does not fit. Everything before it is whole."
    )


def _decode(line: bytes, place: str) -> Event:
    """The event of a line; a checksum is no proof of who wrote it, so nothing in it is taken on trust."""
    if not line.startswith(_HEAD):
        other = line.startswith(b'{"v":') and not line.startswith(_HEAD[: _HEAD.index(b",") + 1])
        raise RecordsError(_other_format(place) if other else f"{place} is no event of a study")
    name, _, rest = line.removeprefix(_HEAD).partition(b'"')
    kind = EVENT_TYPES.get(name.decode(errors="replace"))
    if kind is None:
        raise RecordsError(f"{place} is no event of a study: there is none called {name.decode(errors='replace')!r}")
    values = rest.rpartition(_CRC)[0].removeprefix(b",")
    if kind in _MEASURING:
        for said, number in _NON_FINITE:
            values = values.replace(said, number)
    try:
        return kind(**_fields_of(kind.kind).model_validate_json(b"{%s}" % values).__dict__)
    except ValidationError as error:
        problem = error.errors()[0]
        told = ": ".join([*filter(None, [".".join(map(str, problem["loc"]))]), problem["msg"]])
        raise RecordsError(f"{place} is no event of a study: {told}") from error


@cache
def _fields_of(kind: str) -> type[BaseModel]:
    """What an event's fields may hold, from the annotations of its class."""
    event = EVENT_TYPES[kind]
    types = get_type_hints(event, include_extras=True)
    wanted: dict[str, Any] = {
        field.name: types[field.name]
        if field.default is field.default_factory is MISSING
        else (types[field.name], field.default if field.default_factory is MISSING else field.default_factory())
        for field in fields(event)
    }
    return create_model(event.__name__, __config__=ConfigDict(strict=True, extra="forbid"), **wanted)


def _other_format(place: str) -> str:
    return f"{place} was written by another version of actsweep; this one reads format {FORMAT}"


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, so that a new file is still there after a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sayable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def lock_of(path: Path) -> Path:
    """The file by which the study of a ledger is locked."""
    return path.with_suffix(".lock")


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
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
    if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
        os.close(descriptor)  # its last holder has removed it in the meantime, since no study came of its request
        return _locked(path)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()} on {socket.gethostname()}".encode(), 0)
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process writes the study of this ledger now; nothing is created or changed."""
    try:
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
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
    descriptor = _locked(lock_of(path))
    try:
        yield
    finally:
        os.close(descriptor)
