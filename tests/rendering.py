"""What a terminal shows, as text."""

from io import StringIO

from rich.console import Console, RenderableType


def rendered(renderable: RenderableType) -> str:
    """What 80 columns without colour show."""
    console = Console(file=StringIO(), width=80, force_terminal=False, legacy_windows=False)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"
