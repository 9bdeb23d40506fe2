"""Keeps secrets out of what is shown and written: texts from elsewhere lose the values of this process's secrets."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

REDACTED = "[redacted]"
SHORTEST = 8  # characters of a secret; a shorter value would black out ordinary words
_NAME = re.compile(r"(?:.*_)?(?:token|key|secret|password)", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")
_MOST_OF_A_FILE = 4096  # bytes; a token file holds one short line


def redacted(text: str) -> str:
    """A text with every secret of this process, and whatever stands before the host of an address, blacked out."""
    for value in secret_values():
        text = text.replace(value, REDACTED)
    return _USERINFO.sub(f"{REDACTED}@", text)


def secret_values() -> tuple[str, ...]:
    """The secrets of this process, each also as Python, JSON and addresses spell it, the longest first.

    They are the values of environment variables named like a secret (`token`, `key`, `secret` or `password` as the last
    word), and the token files that Ray reads; what is shorter than `SHORTEST` is no secret.
    """
    found = {spelled for value in _values() if len(value) >= SHORTEST for spelled in _spellings(value)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def _values() -> Iterator[str]:
    for name, value in os.environ.items():
        if _NAME.fullmatch(name):
            yield value.strip()
    for path in (os.environ.get("RAY_AUTH_TOKEN_PATH", ""), "~/.ray/auth_token"):
        with suppress(OSError, RuntimeError, UnicodeDecodeError):
            file = Path(path).expanduser()
            if file.is_file():
                with file.open(encoding="utf-8") as stream:
                    yield stream.read(_MOST_OF_A_FILE).strip()


def _spellings(value: str) -> tuple[str, ...]:
    as_json = (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return value, repr(value)[1:-1], *as_json, quote(value, safe="")
