"""One line of a ledger: written with its checksum, and read with nothing in it taken on trust."""

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from actsweep.errors import RecordsError
from actsweep.events import EVENT_TYPES, Evaluation, Event, TrialFinished

FORMAT = 2
LONGEST_LINE = 2**20
_HEAD = b'{"v":%d,"event":"' % FORMAT
_CRC = b',"crc":"'
_MEASURING = (Evaluation, TrialFinished)  # the events that hold numbers which may not be finite
_NON_FINITE = ((b'"nan"', b"NaN"), (b'"inf"', b"Infinity"), (b'"-inf"', b"-Infinity"))


def encode(event: Event, before: int) -> tuple[bytes, int]:
    """The line of an event, and its checksum, which goes on from the line before."""
    tree = {"v": FORMAT, "event": event.kind} | {field.name: getattr(event, field.name) for field in fields(event)}
    body = json.dumps(_sayable(tree), separators=(",", ":"), allow_nan=False).encode()[:-1]
    crc = zlib.crc32(body, before)
    return b'%s%s%08x"}\n' % (body, _CRC, crc), crc


def checked(line: bytes, before: int, place: str) -> int:
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


def decode(line: bytes, place: str) -> Event:
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


def _sayable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
