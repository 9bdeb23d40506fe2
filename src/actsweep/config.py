"""From `conf/` and the words of a command line to validated settings; the only place that knows Hydra."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import main as hydra_main
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig, fields_at, known_are, refuse_secrets, validated
from actsweep.study import swept_paths

CommandTask = Callable[[StudyConfig, list[str]], int]
_OPEN = ("study.scientific", "study.nuisance", "study.arms", "cluster.resources.custom")  # to names of the user's own
_HYDRA = re.compile(r"hydra(\W|$)")
_NO_NAME = re.compile(r"\.\.|\$\{|^\W*/|[\[,'\"]\s*/")  # of a choice: a path that leads out, or an interpolation


def config_folder() -> Path:
    """The folder of the configuration groups; in a checkout the package has a link to it."""
    return Path(__file__).resolve().parent / "conf"


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

    run_with_hydra("train", words, keep)
    if len(found) != 1:
        raise RequestError(f"{' '.join(words)}: these words give {len(found)} configurations, where one is asked for")
    return found[0]


def run_with_hydra(command: str, words: Sequence[str], task: CommandTask) -> int:
    """Compose the configuration that `words` ask for and hand it to `task`.

    Args:
        command: the command's name; under `train` swept settings may be overridden.
        words: Hydra overrides and Hydra's own flags (`--cfg job`, `--help`, `--config-dir`, `--multirun`, completion).
        task: called with the validated configuration and the overrides, once (several times with `--multirun`).

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

    _refuse_flags(command, words)
    _refuse_reach(words)
    with _command_line(command, words):
        try:
            hydra_main(config_path=str(config_folder()), config_name="config", version_base="1.3")(run)()
        except Exception as error:  # of whatever kind, it is the configuration that Hydra refuses
            raise RequestError(_one_message(error, words)) from error
        except SystemExit as leaving:
            codes.append(leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None))
    if refusals:
        raise refusals[0]
    return max(codes)


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


def _refuse_flags(command: str, words: Sequence[str]) -> None:
    if command != "train" and any(word == "-m" or word.startswith("--m") for word in words):
        raise RequestError(
            f"--multirun is for `train` alone: `{command}` takes one study; "
            "list the values to compare in study.scientific, or give each study a run.name"
        )
    if any(word.startswith("--e") for word in words):
        raise RequestError(
            "--experimental-rerun is not supported: it would load a pickle; use `actsweep resume RUN_DIR`"
        )


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
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name}: no such choice; {known_are(error.options, name)}"
    path = re.match(r"Could not override '([\w.]+)'", str(error))
    if path:
        *parents, leaf = path[1].split(".")
        if path[1] in _OPEN:
            return f"{path[1]}: to add a setting, write +{path[1]}.PATH=...; to take one out, {path[1]}.PATH=null"
        if known := fields_at(StudyConfig, parents):
            return f"{path[1]}: no such setting; {known_are(known, leaf)}"
        return str(error)
    ambiguous = re.match(r"Ambiguous value for argument '([^=']+)=(.*)'", str(error))
    if ambiguous:
        return f"{ambiguous[1]}={ambiguous[2]}: takes one value; a list is written {ambiguous[1]}=[{ambiguous[2]}]"
    if str(error).startswith("Config group override must be a string"):
        group = next((word.split("=")[0] for word in words if word.endswith("=null")), "a group")
        choices = sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))
        return f"{group}=null: is a group of settings and takes one of its choices" + (
            f"; known are {', '.join(choices)}" if choices else ""
        )
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key}: {str(error).splitlines()[0]}"
    texts: list[str] = []
    current: Any = error
    while current is not None and len(texts) < 2:
        text = str(current).strip()
        if text and text not in "\n".join(texts):
            texts.append(text)
        current = current.__cause__
    return "\n".join(texts)
