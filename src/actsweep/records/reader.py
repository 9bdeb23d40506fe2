"""A ledger read piece by piece, also while its study goes on: each look decodes only what the one before had not."""

import errno
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from actsweep.errors import RecordsError
from actsweep.events import Event
from actsweep.records.lines import LONGEST_LINE, checked, decode

_HEAD = 2**12  # bytes of the beginning, which are compared at each look: the first event names the study and its time
_BLOCK = 2**20


@dataclass(frozen=True)
class News:
    """What one look at a ledger brought.

    Attributes:
        events: what follows the events of the look before, in order.
        anew: whether they begin with the first line, so that events of earlier looks no longer count.
        more: whether there are whole lines left to read.
    """

    events: tuple[Event, ...] = ()
    anew: bool = False
    more: bool = False


@dataclass(frozen=True)
class _Seen:
    """What tells that a file has changed."""

    inode: tuple[int, int]
    size: int
    modified: int


class LedgerReader:
    """Reads a ledger that another process may be writing; an absent file is an empty ledger.

    A file that has shrunk, was replaced by another, or no longer begins as it did is read from its beginning again. The
    checksums, which go through all lines, tell the same of what was changed further in.

    Args:
        path: the file.

    Attributes:
        lines: how many lines have been read.
        crc: the checksum of the last of them.
        file_crc: the CRC-32 of all their bytes.
        size: of them, in bytes.
        torn: a last line that was cut off in writing, or is not yet whole: not read, and counted in none of these.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Seen | None = None
        self._rewind()

    def _rewind(self) -> None:
        self.lines = self.crc = self.file_crc = self.size = 0
        self.torn = self._head = b""
        self._more = False

    def read(self, most: int | None = None) -> News:
        """What the ledger holds beyond what was read before.

        Args:
            most: how many lines are read at most; None reads all there are.

        Raises:
            RecordsError: a line other than a cut-off last one is damaged, or the file is a link or no file; the message
                says where. What was read before then no longer counts: the next look begins with the first line.
        """
        with _opened(self._path) as (file, seen):
            if seen == self._seen and not self._more:
                return News()
            if self._is_another(file, seen):
                self._rewind()
            self._seen = seen
            return self._news(file, most)

    def _news(self, file: BinaryIO, most: int | None) -> News:
        anew = self.size == 0
        try:
            return News(tuple(self._events(file, most)), anew, self._more)
        except RecordsError:
            self._rewind()
            if anew:
                self._seen = None
                raise
        return self._news(file, most)  # it may be whole, but another than before

    def _events(self, file: BinaryIO, most: int | None) -> Iterator[Event]:
        file.seek(self.size)
        self.torn, self._more = b"", False
        while line := file.readline(LONGEST_LINE + 1):
            if not line.endswith(b"\n") and len(line) <= LONGEST_LINE:
                self.torn = line
                return
            if most is not None and most <= 0:
                self._more = True
                return
            yield self._event(line)
            most = None if most is None else most - 1

    def _event(self, line: bytes) -> Event:
        place = f"{self._path}: line {self.lines + 1} (byte {self.size})"
        crc = checked(line, self.crc, place)
        event = decode(line, place)
        self.lines, self.crc, self.size = self.lines + 1, crc, self.size + len(line)
        self.file_crc = zlib.crc32(line, self.file_crc)
        if len(self._head) < _HEAD:
            self._head += line[: _HEAD - len(self._head)]
        return event

    def _is_another(self, file: BinaryIO, seen: _Seen | None) -> bool:
        """Whether a file that has changed no longer begins with what was read."""
        if seen is None or self._seen is None or seen.size < self.size:
            return True
        if seen.inode == self._seen.inode and seen.size > self._seen.size:
            return file.read(len(self._head)) != self._head
        return crc_of(file, self.size) != self.file_crc


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, _Seen | None]]:
    """A file open for reading, with what tells that it has changed; nothing to read where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        yield BytesIO(), None
        return
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise RecordsError(f"{path} is a link, which no study has made; remove it") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise RecordsError(f"{path} is no file, and no study has made it; remove it")
    with os.fdopen(descriptor, "rb") as file:
        yield file, _Seen((status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)


def crc_of(file: BinaryIO, size: int) -> int:
    """The CRC-32 of the next `size` bytes of a file."""
    crc = 0
    while size > 0 and (part := file.read(min(_BLOCK, size))):
        crc = zlib.crc32(part, crc)
        size -= len(part)
    return crc
