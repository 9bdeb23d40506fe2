"""Turns at a process whose random generators and other global state only one trial can use at a time.

Where several trials train side by side in the threads of one process, a GPU works on what all of them have asked it
for, while on the host one trial at a time has its turn: what it finds then is what it left, so its curve is that of a
trial that has the process for itself.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from actsweep.train.randomness import global_random_state, set_global_random_state

TURN_SECONDS = 0.01  # many steps of a captured graph, and a hundred times what a change of turns takes


class Turns:
    """First come, first served; only a thread that has the turn may call `pass_on`. A process needs one: `TURNS`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()
        self._since = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it until the end of the block but for what `pass_on` gives away."""
        self._take()
        try:
            yield
        finally:
            self._give()

    def pass_on(self) -> None:
        """Let the others have their turns, if any wait and this one has lasted, and come back to the same state."""
        if not self._waiting or time.monotonic() - self._since < TURN_SECONDS:
            return
        state, threads = global_random_state(), torch.get_num_threads()
        self._give()
        self._take()
        set_global_random_state(state)
        torch.set_num_threads(threads)

    def _take(self) -> None:
        with self._lock:
            mine = None
            if self._taken:
                self._waiting.append(mine := threading.Event())
            self._taken = True
        if mine is not None:
            mine.wait()
        self._since = time.monotonic()

    def _give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()  # it stays taken: handed over
            else:
                self._taken = False


TURNS = Turns()
