"""Where a secret has got to: files, texts, and the command lines that any user of the machine can read."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.05  # seconds between two looks at the command lines


def files_with(secrets: Iterable[str], *folders: Path) -> list[str]:
    """The files under some folders that hold a secret, and those whose very name does."""
    wanted = [secret.encode() for secret in secrets]
    found = []
    for path in (path for folder in folders for path in folder.rglob("*")):
        named = any(secret in str(path).encode() for secret in wanted)
        if named or (path.is_file() and any(secret in path.read_bytes() for secret in wanted)):
            found.append(str(path))
    return found


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """The command lines of all processes of the machine that were seen during the block."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(_PAUSE):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def shown(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text holds a secret."""
    return any(secret in text for secret in secrets)
