"""What SIGINT, SIGTERM and SIGHUP do to a command that runs for long."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from actsweep.system.halt import Halt

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interruption(KeyboardInterrupt):
    """One that an exit code may follow: Python itself ends a process by SIGINT once a plain one left an `exec`."""


class _Handler:
    """Raises KeyboardInterrupt, once; where there is a halt, the first signal only sets it."""

    def __init__(self, halt: Halt | None = None) -> None:
        self._halt = halt

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._halt is not None and not self._halt.is_set():
            self._halt.set()
            return
        ignore()
        raise _Interruption


def interrupt_from_now_on() -> None:
    """Each of them raises KeyboardInterrupt, once, until this process ends: what cleans up is left in peace."""
    _set(_Handler())


@contextmanager
def interrupting() -> Iterator[None]:
    """The same for the length of the block."""
    with _handled(_Handler()):
        yield


@contextmanager
def halting(halt: Halt) -> Iterator[None]:
    """The first sets `halt`, so that what runs comes to an end by itself; the second raises KeyboardInterrupt.

    It belongs into a block of `interrupting`.
    """
    with _handled(_Handler(halt), inner=True):
        yield


def ignore() -> None:
    """Leave in peace what cleans up, and says how to go on: to the end of the outermost block."""
    if _in_main_thread():
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _handled(handler: _Handler, *, inner: bool = False) -> Iterator[None]:
    before = _set(handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            ignored = signal.getsignal(number) is signal.SIG_IGN
            if not (ignored and (inner or isinstance(earlier, _Handler))):
                signal.signal(number, earlier)


def _set(handler: _Handler) -> dict[signal.Signals, Any]:
    """Set a handler, and return what was there; nothing changes in a thread other than the main one, which alone may.

    A SIGHUP that is ignored stays so: that is what nohup is for.
    """
    if not _in_main_thread():
        return {}
    numbers = [one for one in _NUMBERS if not (one == signal.SIGHUP and signal.getsignal(one) is signal.SIG_IGN)]
    return {number: signal.signal(number, handler) for number in numbers}


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
