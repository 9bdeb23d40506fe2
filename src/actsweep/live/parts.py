"""A page as parts, each replaced by itself, and what a browser lacks of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_DATA = "data"
_DRAWN = "report"  # the part in which the data is drawn: where it is replaced, that is to do again


@dataclass(frozen=True)
class Parts:
    """The parts of a page at one moment.

    Attributes:
        html: the content of each part, by its id.
        data: JSON text for the page's scripts; empty where there is none.
    """

    html: Mapping[str, str]
    data: str = ""

    @cached_property
    def version(self) -> str:
        """What names this state of the page: the same for the same content, also after the dashboard began anew."""
        return "-".join(self._marks.values())

    @property
    def loaded(self) -> str:
        """The state of a page that was loaded whole, which has all parts, and not yet the data."""
        return "-".join([*self.version.split("-")[:-1], "0"])

    def since(self, seen: str) -> str | None:
        """What a browser lacks that has the state `seen`, as JSON text; None where it lacks nothing."""
        if seen == self.version:
            return None
        known = seen.split("-")
        if len(known) != len(self._marks):
            known = [""] * len(self._marks)
        changed = [part for part, mark in zip(self._marks, known, strict=True) if self._marks[part] != mark]
        answer = {"version": self.version, "parts": {part: self.html[part] for part in changed if part in self.html}}
        text = json.dumps(answer)
        is_drawn = self.data and {_DATA, _DRAWN} & {*changed}
        return f'{text[:-1]},"data":{self.data}}}' if is_drawn else text

    @cached_property
    def _marks(self) -> dict[str, str]:
        return {part: _mark(text) for part, text in {**self.html, _DATA: self.data}.items()}


def _mark(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
