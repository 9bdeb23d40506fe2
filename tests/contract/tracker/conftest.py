"""A home without a W&B account for each test."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    """A home of its own and no trace of a W&B account; the process's environment is put back as it was."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        del os.environ[name]
    os.environ["HOME"] = str(tmp_path / "home")
    yield
    gc.collect()
    os.environ.clear()
    os.environ.update(before)
