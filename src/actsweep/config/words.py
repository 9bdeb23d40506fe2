"""The words of a command line, before Hydra reads them: in an order that it takes, and none that reach further."""

import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser

from actsweep.config.known import choices, setting_named
from actsweep.errors import RequestError
from actsweep.settings import known_are

HYDRA_OPTIONS = ("--config-dir", "--cfg", "--resolve", "--package", "--info", "--help")  # of use to people, of all
_SHORTEST = 4  # letters of an option that Hydra would complete, dashes included: with fewer, --e would be a pickle
_HYDRA = re.compile(r"hydra(\W|$)")
_NO_NAME = re.compile(r"\.\.|\$\{|^\W*/|[\[,'\"]\s*/")  # of a choice: a path that leads out, or an interpolation
_HOME = re.compile(r"^(\+*[\w.]+)=(~(?:/[^'\"]*)?)$")


def words_for_hydra(command: str, words: Sequence[str], own: Sequence[str]) -> list[str]:
    """The words with the settings first, paths below the home folder written out.

    Args:
        command: the command that they stand behind.
        words: as the user wrote them.
        own: the command's own options, for the message about an unknown one.

    Raises:
        RequestError: an option is unknown, or a word is one that we do not let through.
    """
    found = [_HOME.sub(_at_home, word) for word in _in_order(command, words, own)]
    _refuse_reach(found)
    return found


def _in_order(command: str, words: Sequence[str], own: Sequence[str]) -> list[str]:
    """The words with the settings first, since Hydra takes none that come after one of its options.

    Raises:
        RequestError: an option is unknown, lacks its value, or is one that we do not let through.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise RequestError(f"{command}: {message}")

    parser.error = refuse  # type: ignore[method-assign]
    if short := [word for word in words if word.startswith("--") and len(_option(word)) < _SHORTEST]:
        raise RequestError(_no_option(command, short[0], own))
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        raise RequestError(_no_option(command, unknown[0], own))
    _refuse_options(command, found)
    options = list(words)
    for setting in found.overrides:
        options.remove(setting)
    return [*found.overrides, *options]


def _at_home(word: re.Match[str]) -> str:
    """A path below the home folder, which no shell puts there behind the dots of a setting."""
    return f"{word[1]}='{Path(word[2]).expanduser()}'"


def _refuse_options(command: str, found: Namespace) -> None:
    if command != "train" and found.multirun:
        raise RequestError(
            f"--multirun is for `train` alone: `{command}` takes one study; "
            "list the values to compare in study.scientific, or give each study a run.name"
        )
    if found.experimental_rerun is not None:
        raise RequestError(
            "--experimental-rerun is not supported: it would load a pickle; use `actsweep resume RUN_DIR`"
        )


def _no_option(command: str, word: str, own: Sequence[str]) -> str:
    option = _option(word)
    setting = setting_named(option.lstrip("-").replace("-", "_"))
    if setting:
        return f"{command}: {option} is no option; settings are written without dashes: {setting}=VALUE"
    known = known_are(list(dict.fromkeys((*own, *HYDRA_OPTIONS))), option)
    return f"{command}: {option} is no option; settings are written NAME=VALUE; {known}"


def _option(word: str) -> str:
    return word.partition("=")[0]


def _refuse_reach(words: Sequence[str]) -> None:
    """A word, which another program may have composed, can make Hydra neither open any file nor call any function."""
    parser = OverridesParser.create()
    for word in words:
        try:
            override = parser.parse_override(word)
        except Exception:  # it is no override: Hydra says what is wrong with it
            continue
        key, place = override.key_or_group, override.package or ""
        if _HYDRA.match(key) or _HYDRA.match(place):
            raise RequestError(f"{key}: a setting of Hydra itself, which actsweep sets; override settings of its own")
        is_group = "/" in key or bool(choices(key))
        if is_group and _NO_NAME.search(word.partition("=")[2]):
            raise RequestError(f"{word}: takes the name of a choice, not a path; for choices of your own: --config-dir")
