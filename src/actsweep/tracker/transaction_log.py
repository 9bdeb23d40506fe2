"""Reads back what wandb wrote: neither its exceptions nor its exit codes say whether a run is on the disk.

A `.wandb` file is a header of 7 bytes (`:W&B`, a magic number, a version) and blocks of 32 KiB in the framing of
LevelDB's log: per piece a checksum (4 bytes), a length (2), a kind (1) and the data. A record is one whole piece or a
first, any number of middle and a last one; a block's last bytes, too few for a piece's head, are padding.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actsweep.errors import RecordsError

_HEADER = struct.Struct("<4sHB")
_IDENT = (b":W&B", 0xBEE1)
_BLOCK = 32768
_HEAD = struct.Struct("<IHB")
_PADDING, _WHOLE, _LAST = 0, 1, 4


@dataclass(frozen=True)
class RunFile:
    """An ended run's file, and how many rows of history went into it."""

    path: Path
    rows: int

    def check(self) -> None:
        """Read the file, which may take wandb a moment to complete after the run's end.

        Raises:
            RecordsError: the file is absent, none of wandb's, or damaged, or not all of the run is in it.
        """
        kinds = [record.WhichOneof("record_type") for record in records(self.path)]
        rows = kinds.count("history")
        if rows != self.rows or "exit" not in kinds:
            end = "" if "exit" in kinds else ", without its end"
            raise RecordsError(f"{rows} of {self.rows} rows are in {self.path}{end}")


def records(path: Path) -> Iterator[Any]:
    """The records of a file, as wandb's own `Record` messages; a cut-off last one is left out.

    Raises:
        RecordsError: the file is absent, none of wandb's, or damaged.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecordsError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) < _HEADER.size or _HEADER.unpack_from(raw)[:2] != _IDENT:
        raise RecordsError(f"{path} ({len(raw)} bytes) holds no run")
    record = b""
    for kind, data in _pieces(raw, path):
        record += data
        if kind in (_WHOLE, _LAST):
            yield Record.FromString(record)
            record = b""


def _pieces(raw: bytes, path: Path) -> Iterator[tuple[int, bytes]]:
    at = _HEADER.size
    while at + _HEAD.size <= len(raw):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD.size:
            at += left
            continue
        crc, length, kind = _HEAD.unpack_from(raw, at)
        end = at + _HEAD.size + length
        if kind == _PADDING or end > len(raw):
            return
        data = raw[at + _HEAD.size : end]
        if zlib.crc32(bytes([kind]) + data) != crc:
            raise RecordsError(f"{path} is damaged at byte {at}: its checksum does not fit")
        yield kind, data
        at = end
