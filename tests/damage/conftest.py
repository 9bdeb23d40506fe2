"""A finished study of the real thing, copied, damaged, and put right again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("damage.patient")

from damage.patient import Patient  # noqa: E402 - its assertions are to be told in full


@pytest.fixture
def patient(smoke: Any, tmp_path: Path) -> Patient:
    assert smoke.done.returncode == 0, smoke.done.stderr
    shutil.copytree(smoke.folder, tmp_path / "smoke", symlinks=True)
    return Patient(tmp_path / "smoke")
