"""The screen where it is no terminal."""

import io

from actsweep.report.terminal.console import Screen
from actsweep.report.terminal.tables import plain_table


def test_a_file_or_a_pipe_gets_no_blanks_at_the_ends_of_lines() -> None:
    written = io.StringIO()
    table = plain_table("a", "heading")
    table.add_row("value", "b")
    Screen(written).print(table)
    lines = written.getvalue().splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[-1] == "value  b"
