"""Whole commands, run as a user would: real Hydra, Ray, Optuna, Lightning and W&B (offline)."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: what the command printed, and the folder that it made."""

    done: subprocess.CompletedProcess[str]
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.folder / "results.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def smoke(actsweep: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The smoke experiment, undisturbed, in a folder with a space in its path."""
    place = tmp_path_factory.mktemp("a place")
    return Sweep(actsweep("sweep", "experiment=smoke", cwd=place), place / "outputs" / "smoke")
