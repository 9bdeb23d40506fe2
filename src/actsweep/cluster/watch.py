"""What becomes of a command whose Ray dies: Ray itself would hang, or end the process with words of its own."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from actsweep.cluster.background import beside
from actsweep.system.halt import Halt
from actsweep.system.processes import children_called

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 8.0
AWAY_SECONDS = 40.0  # a head node may come back; after 60 Ray ends the process
_NEEDED = ("raylet", "gcs_server")


@contextmanager
def ended_with_ray(halt: Halt, last_words: Callable[[], int], *, own: bool) -> Iterator[None]:
    """Watch the cluster that this process is connected to for the length of the block.

    When it is lost, `halt` is set. A block that does not end soon then, as it waits for an answer of Ray's, ends
    with the process.

    Args:
        halt: set with the reason.
        last_words: called before the process is ended; gives the exit code.
        own: whether this process has started the cluster, so that its processes are watched, and not its address.
    """
    loss = _ended_processes() if own else _unreachable_head()

    def watch(left: threading.Event) -> None:
        while not left.wait(LOOK_SECONDS):
            reason = loss()
            if reason is not None and not left.is_set():
                halt.because(reason)
                if not left.wait(PATIENCE_SECONDS):
                    _end(last_words())
                return

    with beside(watch, "ray-watch"):
        yield


def _ended_processes() -> Callable[[], str | None]:
    needed = children_called(*_NEEDED)

    def loss() -> str | None:
        if all(_runs(process) for process in needed):
            return None
        return "a process of the local Ray has ended: it was killed, or the machine is out of memory"

    return loss


def _unreachable_head() -> Callable[[], str | None]:
    import ray

    address = ray.get_runtime_context().gcs_address
    host, _, port = address.rpartition(":")
    heard = time.monotonic()

    def loss() -> str | None:
        nonlocal heard
        with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=LOOK_SECONDS):
            heard = time.monotonic()
        if time.monotonic() - heard < AWAY_SECONDS:
            return None
        return f"the head of the Ray cluster, {address}, has not answered for {AWAY_SECONDS:g} seconds"

    return loss


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
