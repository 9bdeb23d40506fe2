"""What all settings share: how they are refused, in one message that names the setting and what it accepts."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from actsweep.errors import RequestError

_LONGEST_SHOWN = 200  # characters of a value in a message
_PERCENT = 100
_MOST_TOLD = 20  # problems in a message
_UNSEEN = ("Cc", "Zl", "Zp")
_TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"


def known_are(known: Sequence[str], word: str) -> str:
    """The accepted words, with a hint at the one nearest to `word`, for a message."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"known are {', '.join(known)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _plain_name(name: str) -> str:
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(
            f"{name!r} is no plain name: letters, digits, '.', '_' and '-', at most 100, the first a letter or digit"
        )
    return name


def _one_line(text: str) -> str:
    odd = next((sign for sign in text if unicodedata.category(sign) in _UNSEEN or sign in _TURNING), None)
    if odd is not None:
        raise ValueError(f"{ascii(text)[:_LONGEST_SHOWN]} holds a control character (U+{ord(odd):04X}); leave it out")
    return text


PlainName = Annotated[str, AfterValidator(_plain_name)]
OneLine = Annotated[str, AfterValidator(_one_line)]
"""Text without control characters, so that it is one line wherever it is shown, and none that steers a terminal."""
PositiveInt = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Base of all settings: immutable, no conversions of type, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=Settings)


def validated(kind: type[AnySettings], tree: object) -> AnySettings:
    """Construct settings, with all that is wrong in one message.

    Raises:
        RequestError: a key is unknown or missing, or a value is not accepted; the message names each by its path.
    """
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        problems = error.errors()
        lines = [_describe(kind, item) for item in problems[:_MOST_TOLD]]
        lines += [f"and {len(problems) - _MOST_TOLD} more"] * (len(problems) > _MOST_TOLD)
        raise RequestError("\n".join(lines)) from error


def _describe(kind: type[Settings], item: Any) -> str:
    path = _cut(".".join(str(part) for part in item["loc"]))
    if item["type"] == "extra_forbidden":
        known = fields_at(kind, item["loc"][:-1])
        return f"{path}: no such setting; {known_are(known, _cut(str(item['loc'][-1])))}"
    if item["type"] == "missing":
        return f"{path}: missing"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "literal_error":
        expected = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        given = _shown(item["input"])
        message = f"{given} is not accepted; {known_are(expected, given.strip(chr(39)))}"
    elif item["type"] == "list_type" and isinstance(item["input"], str):
        message = f"takes a list, written {path}=[{_cut(item['input'])}]"
    elif item["type"] != "value_error":
        message = (
            re.sub(r"^(Input|String|List|Dictionary) should", "should", message) + f", not {_shown(item['input'])}"
        )
        if item["type"] == "less_than_equal" and item["ctx"]["le"] == 1 and 1 < item["input"] <= _PERCENT:
            message += f"; it is a fraction: {item['input'] / _PERCENT:g}"
    return f"{path}: {message}" if path and not message.startswith(f"{path}.") else message


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes out
        return "a number beyond all bounds"
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def fields_at(kind: type[Settings], location: Sequence[Any]) -> list[str]:
    """The names of the settings at a place in the tree; empty where the place holds no settings of ours."""
    found = settings_at(kind, location)
    return sorted(found.model_fields) if found else []


def settings_at(kind: type[Settings], location: Sequence[Any]) -> type[Settings] | None:
    """The class of the settings at a place in the tree; None where the place holds no settings of ours."""
    for part in location:
        inner = kind.model_fields[part].annotation if part in kind.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, Settings)):
            return None
        kind = inner
    return kind
