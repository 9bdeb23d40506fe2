"""A new sweep at W&B, made in a process of its own: wandb prints as it does so, and changes the environment."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actsweep.settings import TrackerSettings

SECONDS = 40.0
_CODE = """
import json, sys, wandb
asked = json.loads(sys.stdin.read())
wandb.sweep(asked["sweep"], entity=asked["entity"], project=asked["project"])
"""
_ID = re.compile(r"^Create sweep with ID: (\S+)$", re.MULTILINE)
_URL = re.compile(r"^Sweep URL: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sweep:
    """A sweep at W&B.

    Attributes:
        id: what runs are attached by.
        url: where it is looked at; empty where wandb does not say.
    """

    id: str
    url: str = ""


def new_sweep(
    settings: TrackerSettings, sweep: Mapping[str, Any], begun: Callable[[subprocess.Popen[str]], None]
) -> Sweep:
    """Make a sweep.

    Args:
        settings: the project and the entity.
        sweep: see `study_sweep`.
        begun: told of the process, which others may end.

    Raises:
        RuntimeError: it could not be made within `SECONDS`.
    """
    asked = json.dumps({"sweep": sweep, "entity": settings.entity, "project": settings.project})
    with subprocess.Popen(
        [sys.executable, "-c", _CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        begun(process)
        try:
            printed, errors = process.communicate(asked, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"W&B made no sweep within {SECONDS:g} s") from None
    made = _ID.search(printed)
    if process.returncode or made is None:
        raise RuntimeError((errors.strip().splitlines() or ["W&B made no sweep"])[-1])
    url = _URL.search(printed)
    return Sweep(made[1], url[1] if url else "")
