"""Every test has a home of its own, and no credentials or services of the machine's user."""

import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from actsweep import config
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
    """The smoke experiment, undisturbed, in a folder with a space in its path: run once, and copied to each process."""
    base = tmp_path_factory.getbasetemp()
    first = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    first.mkdir(exist_ok=True)
    said = first.with_suffix(".pickle")
    with first.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_bytes(pickle.dumps(actsweep("sweep", "experiment=smoke", cwd=first)))
    place = shutil.copytree(first, tmp_path_factory.mktemp("places") / "a place")
    return Sweep(pickle.loads(said.read_bytes()), place / "outputs" / "smoke")


@pytest.fixture(scope="session")
def compose() -> Callable[..., StudyConfig]:
    """The configuration that a sweep's words ask for."""
    return config.compose
