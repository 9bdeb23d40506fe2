"""What `--help` says: the commands by what they are about, and for one of them its options and examples."""

import re
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from io import StringIO

from actsweep.cli.command import DONE, Command

FLAGS = ("-h", "--help")
_ALWAYS = (
    "`actsweep COMMAND --help` shows what a command takes, with defaults and examples; `actsweep sweep --help`",
    "shows all settings, which are given as Hydra's overrides, such as experiment=quickstart.",
    "--debug shows tracebacks and Ray's own messages; --version the version.",
)


def overview(groups: Mapping[str, Mapping[str, Command]]) -> str:
    """The list of commands, by group."""
    width = max(len(name) for commands in groups.values() for name in commands)
    lines = ["usage: actsweep COMMAND ...", ""]
    lines += ["Sweeps that give each activation an equal, tuned chance, and honest measures of what comes out.", ""]
    for title, commands in groups.items():
        lines.append(title)
        lines += [f"  {name:<{width}}  {command.summary}" for name, command in commands.items()]
        lines.append("")
    return "\n".join([*lines, *_ALWAYS])


def show_help(name: str, command: Command, words: list[str]) -> int:
    """Print a command's help: that of its parser or of Hydra, and what these do not know."""
    if command.takes_overrides:
        print("\n".join(_heading(name, command)), flush=True)  # noqa: T201
    try:
        command.run(words, False)
    except SystemExit as leaving:  # as argparse does after its help
        if leaving.code:
            raise
    if not command.takes_overrides:
        print("\n".join(_examples(command)))  # noqa: T201
    return DONE


def options_of(command: Command) -> list[str]:
    """The long options that a command's help tells of, for completion."""
    if command.takes_overrides:
        from actsweep.config import HYDRA_OPTIONS

        return list(dict.fromkeys((*command.flags, *HYDRA_OPTIONS)))
    told = StringIO()
    with redirect_stdout(told), suppress(SystemExit):
        command.run(["--help"], False)
    return re.findall(r"^ +(?:-\w(?: \w+)?, )?(--[\w-]+)", told.getvalue(), re.MULTILINE)


def _heading(name: str, command: Command) -> list[str]:
    lines = [f"usage: actsweep {name} {command.usage}", "", f"{command.summary[:1].upper()}{command.summary[1:]}."]
    if command.options:
        width = max(len(option) for option, _ in command.options)
        lines += ["", "options beside the settings:", *(f"  {name:<{width}}  {text}" for name, text in command.options)]
    return [*lines, *_examples(command)]


def _examples(command: Command) -> list[str]:
    return ["", "examples:", *(f"  {example}" for example in command.examples)] if command.examples else []
