"""The screen: wide enough for tables, and never a reason to stop."""

import os
import re
from collections.abc import Iterable
from typing import IO

from rich.console import Console
from rich.segment import Segment

MIN_WIDTH = 60  # columns; below that tables lose their columns, so a narrower terminal wraps lines itself


class Screen(Console):
    """A console that falls silent when nobody reads on, as after `| head`, and lets the work go on."""

    def __init__(self, file: IO[str] | None = None) -> None:
        super().__init__(file=file, highlight=False)
        self.width = max(self.width, MIN_WIDTH)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Off a terminal, lines end with their last sign: tables pad them, which a diff or a mail shows."""
        text = super()._render_buffer(buffer)
        return text if self.is_terminal else re.sub(r" +$", "", text, flags=re.MULTILINE)

    def on_broken_pipe(self) -> None:
        """What is printed from now on goes nowhere."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)
