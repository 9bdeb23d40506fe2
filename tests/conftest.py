"""Every test has a home of its own, and no credentials or services of the machine's user."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from actsweep.config import config_folder, run_with_hydra
from actsweep.settings import StudyConfig

FOREIGN = ("WANDB_", "RAY_", "TUNE_", "HYDRA_", "ACTSWEEP_", "XDG_")


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: what the command printed, and the folder that it made."""

    done: subprocess.CompletedProcess[str]
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.folder / "results.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def actsweep(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command line as a user would, in an empty folder or the one given."""

    def run(*words: str, cwd: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "actsweep", *words]
        return subprocess.run(command, cwd=cwd or home, capture_output=True, text=True, timeout=timeout, check=False)

    return run


@pytest.fixture(scope="session")
def smoke(actsweep: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The smoke experiment, undisturbed, in a folder with a space in its path."""
    place = tmp_path_factory.mktemp("a place")
    return Sweep(actsweep("sweep", "experiment=smoke", cwd=place), place / "outputs" / "smoke")


@pytest.fixture(scope="session")
def compose() -> Callable[..., StudyConfig]:
    """The configuration that a sweep's words ask for."""

    def config(*words: str) -> StudyConfig:
        found: list[StudyConfig] = []
        run_with_hydra("train", list(words), lambda config, overrides: found.append(config) or 0)
        return found[0]

    assert config_folder().is_dir()
    return config
