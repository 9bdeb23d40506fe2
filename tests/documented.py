"""The commands and the Python of README.md and docs/, as a reader would copy them."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
FORM = "text"  # the language of blocks that show a form, such as `actsweep list [--json]`, and no command
COMMAND = re.compile(r"(?:\w+=\S+ )*(?:\.venv/bin/)?(actsweep|make) (.*)")
MODULE = re.compile(r"# (\w+)\.py\n")
FILE = re.compile(r"# @package _global_\n# (\w+/\S+\.yaml)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language and its text."""

    page: str
    language: str
    text: str


@dataclass(frozen=True)
class Documented:
    """One command, and the first page that has it."""

    page: str = field(compare=False)
    program: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.program} {shlex.join(self.words)}"


def blocks() -> list[Block]:
    """Every fenced block of every page."""
    return [
        Block(str(page.relative_to(ROOT)), *found)
        for page in PAGES
        for found in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    ]


def commands() -> list[Documented]:
    """Every command of every block, in the order of the pages."""
    found = []
    for block in blocks():
        text = re.sub(r"\s*\\\n\s*|\n {2,}", " ", block.text)  # a line that goes on
        for line in text.splitlines() if block.language != FORM else ():
            if command := COMMAND.fullmatch(line):
                words = shlex.split(command[2], comments=True)
                found.append(Documented(block.page, command[1], tuple(word for word in words if word != "&")))
    return found


def write_files(folder: Path) -> None:
    """Write the modules and configurations that pages show, each under the name in its first line."""
    for block in blocks():
        if module := MODULE.match(block.text):
            (folder / f"{module[1]}.py").write_text(block.text)
        if file := FILE.match(block.text):
            (folder / file[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / file[1]).write_text(block.text)
