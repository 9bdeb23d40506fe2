"""From `conf/` and the words of a command line to validated settings; the only place that knows Hydra."""

import os
import re
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hydra import main as hydra_main
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.singleton import Singleton
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig, fields_at, known_are, refuse_secrets, validated
from actsweep.study import swept_paths

CommandTask = Callable[[StudyConfig, list[str]], int]
_OPEN = ("study.scientific", "study.nuisance", "study.arms", "cluster.resources.custom")  # to names of the user's own
HYDRA_OPTIONS = ("--config-dir", "--cfg", "--resolve", "--package", "--info", "--help")  # of use to people, of all
_SHORTEST = 4  # letters of an option that Hydra would complete, dashes included: with fewer, --e would be a pickle
_HYDRA = re.compile(r"hydra(\W|$)")
_NO_NAME = re.compile(r"\.\.|\$\{|^\W*/|[\[,'\"]\s*/")  # of a choice: a path that leads out, or an interpolation
_COMPOSING = threading.Lock()  # Hydra has one state, and the words of the command line, for the whole process
_HOME = re.compile(r"^(\+*[\w.]+)=(~(?:/[^'\"]*)?)$")


def config_folder() -> Path:
    """The folder of the configuration groups: inside the package, as a link in a checkout, or else at the root."""
    package = Path(__file__).resolve().parent
    inside, beside = package / "conf", package.parents[1] / "conf"
    return inside if inside.is_dir() else beside


def compose(*words: str) -> StudyConfig:
    """The settings that `actsweep train` takes from the words of a command line, with the defaults of `conf/`.

    Args:
        words: such as `"data=cifar10"` or `"model.activation=tanh"`; `"--config-dir=FOLDER"` for choices of your own.

    Raises:
        RequestError: the words ask for something that is not accepted, or not for one configuration.
    """
    found: list[StudyConfig] = []

    def keep(config: StudyConfig, overrides: list[str]) -> int:
        found.append(config)
        return 0

    with _COMPOSING, _apart():
        run_with_hydra("train", words, keep)
    if len(found) != 1:
        raise RequestError(f"{' '.join(words)}: these words give {len(found)} configurations, where one is asked for")
    return found[0]


@contextmanager
def _apart() -> Iterator[None]:
    """Hydra as if it had not begun yet, in an application that may have begun it."""
    state = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        Singleton.set_state(state)


def run_with_hydra(command: str, words: Sequence[str], task: CommandTask, own: Sequence[str] = ()) -> int:
    """Compose the configuration that `words` ask for and hand it to `task`.

    Args:
        command: the command's name; under `train` swept settings may be overridden.
        words: Hydra overrides and Hydra's own flags (`--cfg job`, `--help`, `--config-dir`, `--multirun`, completion).
        task: called with the validated configuration and the overrides, once (several times with `--multirun`).
        own: the command's own options, which are no longer among `words`, for the message about an unknown one.

    Returns:
        the largest exit code that a call of `task` returned; 0 where Hydra answered by itself.

    Raises:
        RequestError: the configuration cannot be composed or is not accepted.
    """
    codes = [0]
    refusals: list[Exception] = []

    def run(tree: DictConfig) -> None:
        overrides = _as_written(HydraConfig.get().overrides.task)
        try:
            config = _checked(tree, overrides, may_override_swept=command == "train")
            codes.append(task(config, overrides))
        except OmegaConfBaseException as error:
            refusals.append(RequestError(_one_message(error, words)))
        except Exception as error:  # kept until Hydra is left, which would print lines of its own
            refusals.append(error)

    words = [_HOME.sub(_at_home, word) for word in _in_order(command, words, own)]
    _refuse_reach(words)
    with _command_line(command, words):
        try:
            hydra_main(config_path=str(config_folder()), config_name="config", version_base="1.3")(run)()
        except BrokenPipeError:  # nobody reads on, as after `--help | head`
            raise
        except Exception as error:  # of whatever kind, it is the configuration that Hydra refuses
            raise RequestError(_one_message(error, words)) from error
        except SystemExit as leaving:
            codes.append(leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None))
    if refusals:
        raise refusals[0]
    return max(codes)


def _at_home(word: re.Match[str]) -> str:
    """A path below the home folder, which no shell puts there behind the dots of a setting."""
    return f"{word[1]}='{Path(word[2]).expanduser()}'"


def _as_written(overrides: Any) -> list[str]:
    """The words themselves: an interpolation in them is of the study's settings, not of Hydra's."""
    words: Any = OmegaConf.to_container(overrides, resolve=False)
    return [str(word) for word in words]


def _checked(tree: DictConfig, overrides: list[str], *, may_override_swept: bool) -> StudyConfig:
    settings = OmegaConf.to_container(tree, resolve=True)
    refuse_secrets(settings)
    config = validated(StudyConfig, settings)
    if not may_override_swept:
        _refuse_swept(config, overrides)
    return config


def _refuse_swept(config: StudyConfig, overrides: list[str]) -> None:
    roles = swept_paths(config.study)
    for override in OverridesParser.create().parse_overrides(overrides):
        key = override.key_or_group
        value = override.value()
        inside = {f"{key}.{name}" for name in value} if isinstance(value, dict) else set()
        for path in sorted({key, *inside} & set(roles)):
            raise RequestError(
                f"{path} is swept in this study, so {override.input_line!r} would have no effect: "
                f"change {roles[path]}.{path} instead (only `train` takes a single value)"
            )


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


def _option(word: str) -> str:
    return word.partition("=")[0]


def _no_option(command: str, word: str, own: Sequence[str]) -> str:
    option = _option(word)
    setting = _setting_named(option.lstrip("-").replace("-", "_"))
    if setting:
        return f"{command}: {option} is no option; settings are written without dashes: {setting}=VALUE"
    known = known_are(list(dict.fromkeys((*own, *HYDRA_OPTIONS))), option)
    return f"{command}: {option} is no option; settings are written NAME=VALUE; {known}"


def _setting_named(name: str) -> str:
    """The path of the setting that is called so, or whose path ends so; empty where there is none."""
    ending = [path for path in _settings() if f".{path}".endswith(f".{name}")]
    return min(ending, key=lambda path: path.count("."), default="")


def _settings(*parents: str) -> Iterator[str]:
    for name in fields_at(StudyConfig, parents):
        yield ".".join((*parents, name))
        yield from _settings(*parents, name)


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
        is_group = "/" in key or (config_folder() / key).is_dir()
        if is_group and _NO_NAME.search(word.partition("=")[2]):
            raise RequestError(f"{word}: takes the name of a choice, not a path; for choices of your own: --config-dir")


@contextmanager
def _command_line(command: str, words: Sequence[str]) -> Iterator[None]:
    """Hydra reads the process's command line, and raises its errors only when told so."""
    before, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [f"actsweep {command}", *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def _one_message(error: BaseException, words: Sequence[str]) -> str:
    """What Hydra means, with the accepted values; else its own text and that of its cause."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name}: no such choice; {known_are(error.options, name)}"
    if path := re.match(r"Could not override '([\w.]+)'", text):
        return _no_setting(path[1], text)
    if ambiguous := re.match(r"Ambiguous value for argument '([^=']+)=(.*)'", text):
        return f"{ambiguous[1]}={ambiguous[2]}: takes one value; a list is written {ambiguous[1]}=[{ambiguous[2]}]"
    if isinstance(error, OverrideParseException):
        return _unread(error.override, text)
    if text.startswith("Config group override must be a string"):
        group = next((word.split("=")[0] for word in words if word.endswith("=null")), "a group")
        choices = sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))
        return f"{group}=null: is a group of settings and takes one of its choices" + (
            f"; known are {', '.join(choices)}" if choices else ""
        )
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key}: {text.splitlines()[0]}"
    return _own_text(error)


def _no_setting(path: str, text: str) -> str:
    """The first part of a path that names nothing; under a setting that is open to any name, how to add one."""
    if path in _OPEN:
        return f"{path}: to add a setting, write +{path}.PATH=...; to take one out, {path}.PATH=null"
    found = re.search(r"use (\+.*)", text)
    added = found[1] if found else f"+{path}=..."
    if place := next((place for place in _OPEN if path.startswith(f"{place}.")), None):
        return f'{path}: is not in {place} so far; to add it, write "{added}"'
    parts = path.split(".")
    for end, name in enumerate(parts):
        known = fields_at(StudyConfig, parts[:end])
        if known and name not in known:
            return f"{'.'.join(parts[: end + 1])}: no such setting; {known_are(known, name)}"
    return f'{path}: no such setting so far; where names are free, as in the options of a plugin, write "{added}"'


def _unread(word: str, text: str) -> str:
    """Of a word that is no override: what it lacks, where that is a name or a value."""
    if "=" in word:
        reason = text.partition("\n")[0]
        return f"{word}: cannot be read; a text with brackets, commas or braces needs quotes of its own ({reason})"
    if setting := _setting_named(word):
        return f"{word}: needs a value: {setting}=VALUE"
    chosen = (f"{file.parent.name}={word}" for file in config_folder().glob("*/*.yaml") if file.stem == word)
    return f"{word}: settings are written NAME=VALUE, such as {next(chosen, 'experiment=quickstart')}"


def _own_text(error: BaseException) -> str:
    texts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(texts) < 2:
        text = str(current).strip()
        if text and text not in "\n".join(texts):
            texts.append(text)
        current = current.__cause__
    return "\n".join(texts)
