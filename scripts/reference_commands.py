"""The page of commands, from the command table and each command's parser."""

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn
from unittest.mock import patch

from actsweep.cli import GROUPS
from actsweep.cli.command import Command

INTRODUCTION = """# Commands

`actsweep COMMAND ...`, or `python -m actsweep COMMAND ...`. `actsweep COMMAND --help` shows what stands here.
`[OVERRIDES]` are [settings](settings.md) in Hydra's words, such as `experiment=quickstart trainer.epochs=30`;
commands that take them also take Hydra's own flags, such as `--cfg job` (show the configuration, run nothing) and
`--config-dir DIR` (configurations of your own). `--debug` goes with every command and shows tracebacks.

Exit codes: 0 done; 1 done, but not all of it, such as trials that failed for good; 2 the request is wrong, with one
message that says what is accepted ([errors](errors.md)); 130 interrupted, with the command that goes on. What the
commands do at length: [Commands, at length](../commands.md).
"""


class _Found(Exception):
    """Carries a command's parser out of the command, before it does anything."""

    def __init__(self, parser: ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser_of(command: Command) -> ArgumentParser:
    """The parser of a command that Hydra does not read."""

    def leave(
        parser: ArgumentParser, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> NoReturn:
        raise _Found(parser)

    with patch.object(ArgumentParser, "parse_args", leave):
        try:
            command.run([], False)
        except _Found as found:
            return found.parser
    raise AssertionError(f"{command.summary}: the command reads no words")


def commands_page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION]
    for title, commands in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [section(name, command) for name, command in commands.items()]
    return "\n".join(parts)


def section(name: str, command: Command) -> str:
    """What there is to say of one command."""
    lines = [f"### {name}", "", f"{command.summary[:1].upper()}{command.summary[1:]}.", ""]
    lines += ["```text", f"actsweep {name} {command.usage}", "```", ""]
    rows = list(command.options if command.takes_overrides else parser_rows(parser_of(command)))
    if rows:
        lines += ["| word | meaning |", "|---|---|", *(f"| `{word}` | {cell(text)} |" for word, text in rows), ""]
    if command.takes_overrides:
        lines += ["Settings: any of [these](settings.md).", ""]
    return "\n".join([*lines, "```", *command.examples, "```", ""])


def parser_rows(parser: ArgumentParser) -> Iterator[tuple[str, str]]:
    """The words of a parser with their meanings, but for --help."""
    for action in parser._actions:
        if "--help" not in action.option_strings:
            yield word_of(action), (action.help or "") % {"default": action.default}


def word_of(action: Action) -> str:
    """How a word is written: `-f, --follow`, `--out DIR` or `RUN_DIR`."""
    value: Any = action.metavar or (list(action.choices) if action.choices else action.dest.upper())
    text = "|".join(value) if isinstance(value, list) else str(value)
    if not action.option_strings:
        return text
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {text}")


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|")
