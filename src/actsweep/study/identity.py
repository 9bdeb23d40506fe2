"""What makes trials and studies the same: seeds, trial ids, and the settings that results depend on."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np

from actsweep.settings import StudyConfig, TrialConfig

Phase = Literal["tune", "replicate", "cross"]
PHASES: tuple[Phase, ...] = ("tune", "replicate", "cross")
_NOT_OF_THE_RESULT: dict[str, Any] = {"data": {"root"}, "trainer": {"trial_timeout"}, "plugins": True}


def trial_seed(study_seed: int, phase: Phase, block: int, index: int) -> int:
    """The seed of a trial: unique per block, phase and index, and the same in every cell (common random numbers)."""
    sequence = np.random.SeedSequence(study_seed, spawn_key=(PHASES.index(phase), block, index))
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)


def trial_id(config: TrialConfig, data: str) -> str:
    """12 hex digits of a hash of all that changes a trial's result, and of nothing else.

    Args:
        config: the trial.
        data: the fingerprint of the images.
    """
    tree = config.model_dump(mode="json", exclude=_NOT_OF_THE_RESULT)
    return hashlib.sha256(json.dumps([tree, data], sort_keys=True).encode()).hexdigest()[:12]


def changed_settings(before: StudyConfig, now: StudyConfig) -> list[tuple[str, Any, Any]]:
    """The settings that results depend on and that differ, as (dotted path, value before, value now)."""
    old, new = _result_relevant(before), _result_relevant(now)
    return [(path, old.get(path), new.get(path)) for path in sorted({*old, *new}) if old.get(path) != new.get(path)]


def all_settings(config: StudyConfig) -> dict[str, Any]:
    """Every setting by its dotted path."""
    return dict(_flat(config.model_dump(mode="json")))


def _result_relevant(config: StudyConfig) -> dict[str, Any]:
    groups = {"study", "search", "scheduler", "model", "optimizer", "data", "trainer"}
    exclude = {**_NOT_OF_THE_RESULT, "study": {"max_trials"}}
    return dict(_flat(config.model_dump(mode="json", include=groups, exclude=exclude)))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, node in tree.items():
        if isinstance(node, Mapping) and node:
            yield from _flat(node, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", node
