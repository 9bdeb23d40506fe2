"""What a command is, its exit codes, and how the words of commands without Hydra are read."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from actsweep.cli.memory import TABLES
from actsweep.errors import RequestError

DONE, INCOMPLETE, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        summary: a line for the list of commands.
        usage: what follows the command's name.
        run: takes the words after the name, and whether to debug; returns the exit code.
        address_space: GiB that it needs.
        examples: whole command lines, for its help.
        options: what it takes beside Hydra's words, each with its meaning; a parser of ours knows its own.
    """

    summary: str
    usage: str
    run: Callable[[list[str], bool], int]
    address_space: int = TABLES
    examples: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    @property
    def takes_overrides(self) -> bool:
        """Whether Hydra reads its words."""
        return "[OVERRIDES]" in self.usage

    @property
    def flags(self) -> list[str]:
        """The names of `options`, such as `--out`."""
        return [option.split()[0] for option, _ in self.options]


def warn(text: str) -> None:
    """Say what the user should know, and go on."""
    from actsweep.report.terminal.console import Screen
    from actsweep.report.wording import clean

    Screen().print(clean(text), style="yellow", markup=False)


class Parser(argparse.ArgumentParser):
    """The parser of a command's words; what it refuses is an error of ours, in one line.

    Args:
        command: the command's name.
        usage: what follows it.
        description: what it does.
    """

    def __init__(self, command: str, usage: str, description: str) -> None:
        super().__init__(
            prog=f"actsweep {command}",
            usage=f"actsweep {command} {usage}",
            description=description,
            allow_abbrev=False,
        )
        self._command = command

    def error(self, message: str) -> NoReturn:
        """Refuse the words.

        Raises:
            RequestError: always.
        """
        raise RequestError(f"{self._command}: {message}; the form is: {self.usage}")


def option(name: str, words: list[str]) -> tuple[str | None, list[str]]:
    """The value of an option of ours among words that Hydra is to read, None without it, and the words without it.

    Raises:
        RequestError: the option is there without a value, or twice.
    """
    values, others, rest = [], [], iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if key != name:
            others.append(word)
        else:
            values.append(value if equals else next(rest, ""))
    if len(values) > 1 or not all(values):
        raise RequestError(f"{name}: needs one value, given once: {name} VALUE")
    return (values[0] if values else None), others


def taken(flag: str, words: list[str]) -> tuple[bool, list[str]]:
    """Whether a flag of ours is among words that Hydra is to read, and the words without it."""
    return flag in words, [word for word in words if word != flag]
