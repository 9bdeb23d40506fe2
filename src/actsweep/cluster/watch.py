"""What becomes of a command whose own Ray dies: Ray itself would hang, or end the process with words of its own."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from actsweep.halt import Halt

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 8.0
_NEEDED = ("raylet", "gcs_server")


@contextmanager
def ended_with_ray(halt: Halt, last_words: Callable[[], int]) -> Iterator[None]:
    """Watch the processes of a cluster of one's own for the length of the block.

    When one of them ends, `halt` is set. A block that does not end soon then, as it waits for an answer of Ray's, ends
    with the process.

    Args:
        halt: set with the reason.
        last_words: called before the process is ended; gives the exit code.
    """
    needed = [process for process in psutil.Process().children() if _name(process) in _NEEDED]
    left = threading.Event()

    def watch() -> None:
        while not left.wait(LOOK_SECONDS):
            gone = [process for process in needed if not _runs(process)]
            if gone and not left.is_set():
                halt.because("a process of the local Ray has ended: it was killed, or the machine is out of memory")
                if not left.wait(PATIENCE_SECONDS):
                    _end(last_words())
                return

    thread = threading.Thread(target=watch, name="ray-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()


def _end(code: int) -> None:
    """End this process and all that it started; nothing is lost, since the ledger has all that was reported."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    os._exit(code)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""
