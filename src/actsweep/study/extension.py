"""What may be added to a study whose results were seen: more seeds, blocks, points, arms or strata."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from actsweep.settings import StudyConfig
from actsweep.study.identity import changed_settings
from actsweep.study.space import is_list
from actsweep.study.study import Study

Change = tuple[str, Any, Any]  # dotted path, value before, value now
_COUNTS = ("study.tune.blocks", "study.replicate.seeds", "study.tune.points")


@dataclass(frozen=True)
class Extension:
    """How one configuration differs from an earlier one, as changes of dotted path, value before and value now.

    Attributes:
        added: what only adds trials to those of the earlier one.
        other: what would alter trials that have run.
    """

    added: tuple[Change, ...]
    other: tuple[Change, ...]


def extension(before: StudyConfig, now: StudyConfig) -> Extension:
    """Sort what changed into additions and the rest."""
    changes = changed_settings(before, now)
    added = [change for change in changes if _adds(change, before)]
    other = [change for change in changes if change not in added]
    if not other:
        other += _implied(Study(before), Study(now))
    return Extension(tuple(added), tuple(other))


def _implied(before: Study, now: Study) -> Iterator[Change]:
    """What the order of settings decides, and so may differ where none of them does."""
    of_each = [
        (study.factor, study.reference, [dimension.path for dimension in study.space]) for study in (before, now)
    ]
    for option, old, new in zip(("study.factor", "study.reference", "study.nuisance"), *of_each, strict=True):
        if old != new:
            yield option, old, new


def _adds(change: Change, before: StudyConfig) -> bool:
    path, old, new = change
    if before.study.tune.widen and path != "study.replicate.seeds":
        return False  # ranges might grow otherwise than they did, for the cells that are there too
    if path == "study.tune.points" and before.search.name == "grid":
        return False  # other points would take the place of those that have run
    if path in _COUNTS:
        return bool(new > old)
    if path.startswith("study.scientific."):
        return is_list(old) and is_list(new) and all(value in new for value in old) and len(new) > len(old)
    if path.startswith("study.arms.") and before.study.arms is not None:
        return not any(path.startswith(f"study.arms.{name}.") for name in before.study.arms)
    return False
