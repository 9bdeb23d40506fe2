"""Exclusive training time."""

import time

import torch


class Stopwatch:
    """The thread's CPU time on a CPU, wall time between synchronised points on a GPU.

    Attributes:
        source: cpu or wall.
        seconds: what has been measured so far.
    """

    def __init__(self, accelerator: str) -> None:
        self.source = "cpu" if accelerator == "cpu" else "wall"
        self.seconds = 0.0
        self._started = 0.0

    def start(self) -> None:
        """Begin to measure."""
        self._started = self._now()

    def stop(self) -> None:
        """Add what has passed since the start."""
        self.seconds += self._now() - self._started

    def _now(self) -> float:
        if self.source == "cpu":
            return time.thread_time()
        torch.cuda.current_stream().synchronize()  # not those of trials side by side
        return time.perf_counter()
