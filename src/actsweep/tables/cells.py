"""Arrow arrays to numbers and labels, cell by cell what they must be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from actsweep.compare.trials.inputs import StratumValue
from actsweep.curves import FloatArray
from actsweep.study.space import text
from actsweep.tables.schema import ANY, NUMBER, TEXT, WHOLE, shown
from actsweep.tables.table import Labels

LONGEST_CELL = 64 * 1024  # bytes
_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXACT = 2.0**53  # beyond, a float no longer tells neighbouring whole numbers apart


class CellError(Exception):
    """A cell is refused: its index within the array, and what is wrong."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def check_lengths(values: Any) -> None:
    """Refuse an array that holds a text of over 64 KiB.

    Raises:
        CellError: the first such cell.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(values.type):
        return
    if not (pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type)):
        lengths = pc.binary_length(values)
    else:
        lengths = pc.binary_length(values.cast(pa.large_binary()))
    longest = pc.max(lengths).as_py()
    if longest is not None and longest > LONGEST_CELL:
        raise CellError(pc.index(lengths, longest).as_py(), f"the cell holds {longest} bytes; at most 64 KiB are read")


def numbers(values: Any, loss: bool) -> FloatArray:
    """An array as numbers, NaN where a cell is empty; in a loss what is not finite becomes inf.

    Raises:
        CellError: a cell is no number.
    """
    import pyarrow as pa

    kind = values.type
    if is_text(kind):
        values = _each(_texts(values), lambda some: some.cast(pa.float64()), "must be a number, not {}")
    elif pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = values.cast(pa.float64(), safe=False)
    else:
        raise CellError(0, f"must hold numbers, not the type {shown(kind)}")
    result: FloatArray = values.to_numpy(zero_copy_only=False).astype(np.float64)
    if loss:
        result[values.is_valid().to_numpy(zero_copy_only=False) & ~np.isfinite(result)] = np.inf
    return result


def encoded(values: Any) -> Any:
    """An array as a dictionary array, null where a cell is empty.

    Raises:
        CellError: a cell is no text in UTF-8, or the type is none of single values.
    """
    import pyarrow as pa

    if is_text(values.type):
        values = _texts(values)
    elif pa.types.is_null(values.type):
        values = values.cast(pa.string())
    elif pa.types.is_nested(values.type):
        raise CellError(0, f"must hold single values, not the type {shown(values.type)}")
    return values.dictionary_encode()


def labels(chunks: Sequence[Any], kind: str) -> Labels:
    """Dictionary arrays as one column of labels, its values read as `kind`.

    Raises:
        CellError: a value is not of that kind.
    """
    import pyarrow as pa

    whole = pa.chunked_array(chunks).unify_dictionaries().combine_chunks()
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    given = whole.dictionary.to_pylist()
    read = _reader_of_any(given) if kind == ANY else _READERS[kind]
    new_code: dict[StratumValue, int] = {}
    table = []
    for code, value in enumerate(given):
        try:
            known = read(value)
        except ValueError as error:
            raise CellError(int(np.flatnonzero(codes == code)[0]), f"{error}, not {shown(value)}") from None
        table.append(-1 if known is None else new_code.setdefault(known, len(new_code)))
    return Labels(np.array([*table, -1])[codes], tuple(new_code))


def text_at(values: Any, index: int) -> str:
    """One cell of any array as text, for a message."""
    import pyarrow as pa

    cell = values[index : index + 1]
    value = (cell.cast(pa.binary()) if is_text(values.type) else cell)[0].as_py()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is one of text or bytes."""
    import pyarrow as pa

    tests = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view", "fixed_size_binary")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in tests)


def _texts(values: Any) -> Any:
    """Texts without blanks around them, null where nothing is left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = _each(values.cast(pa.binary()), lambda some: some.cast(pa.string()), "is not text in UTF-8")
    texts = pc.ascii_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _each(values: Any, convert: Callable[[Any], Any], message: str) -> Any:
    """Convert an array, or refuse the first cell that cannot be converted."""
    import pyarrow as pa

    try:
        return convert(values)
    except pa.ArrowInvalid:
        low, high = 0, len(values)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                convert(values[low:middle])
                low = middle
            except pa.ArrowInvalid:
                high = middle
        raise CellError(low, message.replace("{}", shown(text_at(values, low)))) from None


def _text_of(value: Any) -> str | None:
    if isinstance(value, float) and math.isnan(value):
        return None
    return text(value) if isinstance(value, str | int | float) else str(value)


def _number_of(value: Any) -> float:
    if not isinstance(value, bool) and not (isinstance(value, str) and not _NUMERAL.fullmatch(value)):
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value)
            if math.isfinite(number):
                return number
    raise ValueError("must be a finite number")


def _whole_of(value: Any) -> int:
    with suppress(ValueError):
        number = _number_of(value)
        exact = int(value) if _is_integer(value) else int(number)
        is_whole = _is_integer(value) or (number.is_integer() and abs(number) < _EXACT)
        if is_whole and -(2**63) <= exact < 2**63:
            return exact
    raise ValueError("must be a whole number of at most 64 bits")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.lstrip("+-").isdecimal())


def _reader_of_any(values: Sequence[Any]) -> Callable[[Any], StratumValue]:
    """How to read a column of any kind: as numbers where all of its values are numbers, else as text."""
    try:
        for value in values:
            _plain_number(value)
    except ValueError:
        return _text_of
    return _plain_number


def _plain_number(value: Any) -> StratumValue:
    """A value as a number (or bool), None where it is NaN."""
    if isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        return value if isinstance(value, bool) else None
    return _whole_of(value) if _is_integer(value) else _number_of(value)


_READERS: dict[str, Callable[[Any], StratumValue]] = {TEXT: _text_of, WHOLE: _whole_of, NUMBER: _number_of}
