"""The end of a worker whose trial does not end by itself at `trainer.trial_timeout`.

A trial looks at the clock after each batch. One that hangs in between is ended by its own worker some time later, with
a traceback in its log. A worker that cannot do that, since it is frozen, is ended by the driver, later still.
"""

import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from actsweep.records import Attempt

_LOCK = threading.Lock()
_RUNNING: dict[BinaryIO, float] = {}  # when each trial of this process is ended, by its log


def worker_seconds(limit: float) -> float:
    """When a worker ends a trial that has a time limit, with time for its last evaluations: seconds, as the limit."""
    return 1.25 * limit + 20


@contextmanager
def ended_when_hung(limit: float | None, attempt: Attempt) -> Iterator[None]:
    """End this process, with the traceback of every thread in the attempt's log, where the block takes far too long.

    The traceback is written by a thread that needs nothing of Python's, so even one stuck in C code is ended.
    """
    if limit is None:
        yield
        return
    with attempt.open_log() as log:
        with _LOCK:
            _RUNNING[log] = time.monotonic() + worker_seconds(limit)
            _arm()
        try:
            yield
        finally:
            with _LOCK:
                del _RUNNING[log]
                _arm()


def _arm() -> None:
    """Set the process's one alarm to the first trial that is due, if any is."""
    faulthandler.cancel_dump_traceback_later()
    if _RUNNING:
        log = min(_RUNNING, key=_RUNNING.__getitem__)
        faulthandler.dump_traceback_later(max(0.001, _RUNNING[log] - time.monotonic()), exit=True, file=log)
