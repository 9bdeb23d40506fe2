"""The wish that a study ends before its end, and what it is for."""

import threading


class Halt(threading.Event):
    """Set when no further trial is to begin and those that run are to end, so that `actsweep resume` goes on.

    Attributes:
        reason: why, in words for the user; None where it is the user who asks for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None

    def because(self, reason: str) -> None:
        """Set it for a reason of the study's own; the first reason stays."""
        if not self.is_set():
            self.reason = reason
            self.set()
