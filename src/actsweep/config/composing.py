"""From `conf/` and words to validated settings, by Hydra."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import main as hydra_main
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.singleton import Singleton
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from actsweep.config.known import config_folder
from actsweep.config.refused import one_message
from actsweep.config.words import words_for_hydra
from actsweep.errors import RequestError
from actsweep.settings import StudyConfig, refuse_secrets, validated
from actsweep.study import swept_paths

CommandTask = Callable[[StudyConfig, list[str]], int]
_COMPOSING = threading.Lock()  # Hydra has one state, and the words of the command line, for the whole process


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
            refusals.append(RequestError(one_message(error, words)))
        except Exception as error:  # kept until Hydra is left, which would print lines of its own
            refusals.append(error)

    run.__module__ = __package__  # which Hydra takes a relative --config-path from
    words = words_for_hydra(command, words, own)
    with _command_line(command, words):
        try:
            hydra_main(config_path=str(config_folder()), config_name="config", version_base="1.3")(run)()
        except BrokenPipeError:  # nobody reads on, as after `--help | head`
            raise
        except Exception as error:  # of whatever kind, it is the configuration that Hydra refuses
            raise RequestError(one_message(error, words)) from error
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
