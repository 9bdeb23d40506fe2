"""The screen: wide enough for tables, and never a reason to stop."""

import os
from typing import IO

from rich.console import Console

MIN_WIDTH = 60  # columns; below that tables lose their columns, so a narrower terminal wraps lines itself


class Screen(Console):
    """A console that falls silent when nobody reads on, as after `| head`, and lets the work go on."""

    def __init__(self, file: IO[str] | None = None) -> None:
        super().__init__(file=file, highlight=False)
        self.width = max(self.width, MIN_WIDTH)

    def on_broken_pipe(self) -> None:
        """What is printed from now on goes nowhere."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)
