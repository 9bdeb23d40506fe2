"""The end of a worker whose trial does not end by itself at `trainer.trial_timeout`.

A trial looks at the clock after each batch. One that hangs in between is ended by its own worker some time later, with
a traceback in its log. A worker that cannot do that, since it is frozen, is ended by the driver, later still.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

from actsweep.records import Attempt


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
        faulthandler.dump_traceback_later(worker_seconds(limit), exit=True, file=log)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
