"""What SIGINT, SIGTERM and SIGHUP do to a command that runs for long."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from actsweep.halt import Halt

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupting() -> Iterator[None]:
    """Each of them raises KeyboardInterrupt, once: what cleans up after it is not interrupted again."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        _ignore()
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def halting(halt: Halt) -> Iterator[None]:
    """The first sets `halt`, so that what runs comes to an end by itself; the second raises KeyboardInterrupt."""

    def ask(number: int, frame: FrameType | None) -> None:
        if halt.is_set():
            _ignore()
            raise KeyboardInterrupt
        halt.set()

    with _handled(ask):
        yield


def _ignore() -> None:
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Nothing changes in a thread other than the main one, which alone may set handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
