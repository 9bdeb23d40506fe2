"""One command line: which command it names, and what its errors come to."""

import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path

from actsweep import __version__
from actsweep.cli import jobs, machine, results, studies, sweeps, tracking
from actsweep.cli.command import DONE, INCOMPLETE, INTERRUPTED, WRONG_REQUEST, option
from actsweep.cli.help import FLAGS, options_of, overview, show_help
from actsweep.cli.memory import require_address_space
from actsweep.errors import (
    ActsweepError,
    Interrupted,
    NoAnswerError,
    RequestError,
    TrialsFailedError,
    TrialTimeoutError,
)

GROUPS = {
    "Sweeps": sweeps.COMMANDS,
    "Results": results.COMMANDS,
    "Cluster": jobs.COMMANDS,
    "W&B": tracking.COMMANDS,
    "Studies": studies.COMMANDS,
    "This machine": machine.COMMANDS,
}
COMMANDS = {name: command for commands in GROUPS.values() for name, command in commands.items()}
_SWEPT = re.compile(r"\+*study\.(scientific|nuisance|arms)\..*=")  # lists, of which Hydra would complete the places


def run(words: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        0 done; 1 done, but trials failed for good, or not all is at W&B; 2 the request is wrong; 130 interrupted.
    """
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _dispatch(words, debug)
    except Interrupted as error:
        return _refuse(error, INTERRUPTED, debug)
    except (NoAnswerError, TrialsFailedError, TrialTimeoutError) as error:
        return _refuse(error, INCOMPLETE, debug)
    except ActsweepError as error:
        return _refuse(error, WRONG_REQUEST, debug)
    except KeyboardInterrupt:
        again = shlex.join(["actsweep", *words])
        return _refuse(Interrupted(f"interrupted; to begin again: {again}"), INTERRUPTED, debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _refuse(RequestError(f"{error.filename or 'a file'}: {error.strerror or error}"), WRONG_REQUEST, debug)


def _dispatch(words: list[str], debug: bool) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview(GROUPS))  # noqa: T201
        return DONE
    if words[0] == "--version":
        print(f"actsweep {__version__}")  # noqa: T201
        return DONE
    if words[0] in ("-sc", "--shell-completion"):
        return _complete(words)
    if words[0] not in COMMANDS:
        from actsweep.settings import known_are

        raise RequestError(f"{words[0]!r} is no command; {known_are(list(COMMANDS), words[0])}")
    command = COMMANDS[words[0]]
    if words[1:2] in (["-sc"], ["--shell-completion"]):
        return _complete(words[1:])
    if any(word in FLAGS for word in words[1:]):
        return show_help(words[0], command, words[1:])
    require_address_space(words[0], command.address_space)
    return command.run(words[1:], debug)


def _refuse(error: ActsweepError, code: int, debug: bool) -> int:
    from actsweep.report.wording import escaped
    from actsweep.system.redaction import redacted

    lines = redacted(str(error)).splitlines() or [type(error).__name__]
    print("actsweep:", "\n".join(map(escaped, lines)), file=sys.stderr)  # noqa: T201
    if debug:
        print(redacted("".join(traceback.format_exception(error))), end="", file=sys.stderr)  # noqa: T201
    return code


def _complete(words: list[str]) -> int:
    """Complete commands, options and known values ourselves, in silence; Hydra does other settings."""
    line = os.environ.get("COMP_LINE", "").split(" ")
    if words[1:2] != ["query=bash"]:
        return _completed_by_hydra(words)
    if len(line) <= 2:
        print(" ".join(name for name in COMMANDS if name.startswith(line[-1])))  # noqa: T201
    elif (command := COMMANDS.get(line[1])) is not None:
        if line[-1].startswith("-"):
            print(" ".join(name for name in options_of(command) if name.startswith(line[-1])))  # noqa: T201
        elif command.takes_overrides and (values := _values(line[-1])):
            print(" ".join(values))  # noqa: T201
        elif command.takes_overrides and not _SWEPT.match(line[-1]):
            settings = [word for word in line[2:-1] if not word.startswith("-") and "=" in word]
            os.environ["COMP_LINE"] = " ".join([line[0], *settings, line[-1]])
            with suppress(ActsweepError), redirect_stderr(StringIO()):
                return _completed_by_hydra([*_folder_of_choices(line[2:-1]), *words])
    return DONE


def _folder_of_choices(words: list[str]) -> list[str]:
    """The option for a folder of one's own choices, where the words have it and the folder is there."""
    folder, _ = option("--config-dir", words)
    return [f"--config-dir={folder}"] if folder and Path(folder).is_dir() else []


def _values(word: str) -> list[str]:
    """What a setting whose values have names can become; Hydra knows only what it is now."""
    from actsweep.settings import known_values

    path, has_value, _ = word.partition("=")
    known = known_values(path.lstrip("+")) if has_value else []
    return [whole for value in known if (whole := f"{path}={value}").startswith(word)]


def _completed_by_hydra(words: list[str]) -> int:
    from actsweep.config import run_with_hydra

    return run_with_hydra("sweep", words, lambda config, overrides: DONE)
