"""Copies of the project, and `make` in them as a user's shell would run it."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

LOCK = (ROOT / "requirements.lock").read_text()


def program(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def tools(folder: Path) -> Path:
    """A folder with what a machine without any Python has."""
    folder.mkdir()
    for name in ("make", "sh", "dirname", "sed", "expand"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of a user's shell: nothing of the `make` or Python that runs the tests."""
    mine = ("MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV", "UV_CACHE_DIR", "XDG_CACHE_HOME", "COVERAGE", "PYTEST")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(mine)}
    return kept | variables


def checkout(folder: Path) -> Path:
    """A fresh copy of the project, as a clone would lay it."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".venv.lock", "outputs", "__pycache__", ".*_cache", ".hypothesis"
    )
    return shutil.copytree(ROOT, folder, ignore=left_out)


def make(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ("make", "-C", folder, *words)
    return subprocess.run(command, env=clean_environment(**variables), capture_output=True, text=True, cwd="/")
