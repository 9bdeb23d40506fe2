"""A word to the user where a sweep waits because others have the cluster."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from actsweep.cluster.background import beside
from actsweep.cluster.request import shown, worker_request
from actsweep.settings import ResourceSettings

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 20.0  # what the first worker takes on a slow machine, and then some


@contextmanager
def told_when_full(asked: ResourceSettings, busy: Callable[[], bool], told: Callable[[str], None]) -> Iterator[None]:
    """Watch, for the length of the block, whether a sweep finds room on the cluster that this process is connected to.

    Args:
        asked: what each of its workers takes.
        busy: whether any of its trials runs.
        told: gets one line each time that no trial has run for `PATIENCE_SECONDS`, and another when one runs.
    """

    def watch(left: threading.Event) -> None:
        waiting, heard = False, time.monotonic()
        while not left.wait(LOOK_SECONDS):
            if busy():
                heard = time.monotonic()
                if waiting:
                    told("the cluster has room again: a trial runs")
                    waiting = False
            elif not waiting and time.monotonic() - heard > PATIENCE_SECONDS and (why := _why(asked)):
                told(why)
                waiting = True

    with beside(watch, "room-watch"):
        yield


def _why(asked: ResourceSettings) -> str:
    """What is short; empty where nothing is, as while workers start, or where the head does not say."""
    import ray

    request = worker_request(asked)
    try:
        there, free = ray.cluster_resources(), ray.available_resources()
    except (ray.exceptions.RaySystemError, ray.exceptions.RpcError, ConnectionError):
        return ""
    if all(free.get(name, 0.0) >= amount for name, amount in request.items()):
        return ""
    have = ", ".join(
        f"{shown({name: free.get(name, 0.0)})} free of {shown({name: there.get(name, 0.0)})}" for name in request
    )
    return f"waiting for room on the cluster: a trial takes {shown(request)}; {have}"
