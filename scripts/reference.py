"""Write docs/reference/ anew from the code and conf/, or, with --check, refuse pages that are not what these say."""

import sys
from collections.abc import Iterator
from pathlib import Path

from reference_commands import commands_page
from reference_errors import errors_page
from reference_settings import settings_page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/reference.py from {}; do not edit: `make check` refuses other text. -->\n\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page: its file, and what it must hold."""
    yield FOLDER / "commands.md", NOTE.format("src/actsweep/cli/") + commands_page()
    yield FOLDER / "errors.md", NOTE.format("src/actsweep/") + errors_page()
    yield FOLDER / "settings.md", NOTE.format("conf/ and src/actsweep/settings/") + settings_page()


def main(words: list[str]) -> int:
    """Write the pages, or check them; the exit code."""
    if words != ["--check"]:
        for path, text in pages():
            path.write_text(text)
        return 0
    stale = [path.name for path, text in pages() if not path.exists() or path.read_text() != text]
    if stale:
        print(f"docs/reference: stale: {', '.join(stale)}; write it anew: python scripts/reference.py", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
