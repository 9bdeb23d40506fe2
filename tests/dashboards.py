"""A dashboard as a command of its own, and what it answers."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

from processes import start


@dataclass
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Dashboard:
    """A dashboard that runs."""

    process: subprocess.Popen[str]
    port: int
    _seen: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request, its path as it is given."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            answer: HTTPResponse = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    def news(self, page: str) -> dict[str, Any]:
        """What has changed of a page since the last time, as the page's script asks for it; empty where nothing has."""
        seen = self._seen.get(page, "")
        answer = self.ask(f"{page.rstrip('/')}/state?seen={seen}")
        if answer.status == 204:
            return {}
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.text)
        self._seen[page] = found["version"]
        return found["parts"]  # type: ignore[no-any-return]

    def until(self, page: str, shows: Callable[[dict[str, str]], bool], seconds: float = 10.0) -> dict[str, str]:
        """The parts of a page, once they show something."""
        deadline, parts = time.monotonic() + seconds, {}
        self._seen.pop(page, None)
        while True:
            parts.update(self.news(page))
            if parts and shows(parts):
                return parts
            assert time.monotonic() < deadline, f"not in {seconds} seconds: {parts}"
            time.sleep(0.05)


def page_of(name: str) -> str:
    """The path of a study's page."""
    return f"/study/{quote(os.fsencode(name), safe='')}"


@contextmanager
def dashboard(root: Path, *words: str, cwd: Path | None = None) -> Iterator[Dashboard]:
    """A dashboard of the studies below a folder, on a free port; it has ended after the block."""
    process = start(cwd or root.parent, "dashboard", "--root", str(root), *(words or ("--port", "0")))
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("dashboard http://127.0.0.1:"), process.communicate()
        yield Dashboard(process, int(line.split()[1].rstrip("/").rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
