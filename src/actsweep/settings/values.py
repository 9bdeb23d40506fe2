"""The values of those settings that take a name: one of a few, true or false, or what a registry holds."""

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo

from actsweep.plugins import Registry
from actsweep.settings.base import settings_at
from actsweep.settings.config import StudyConfig


def known_values(path: str) -> list[str]:
    """The values of a setting as they are written on a command line; none where it takes any text or number.

    Args:
        path: dotted, such as `model.activation`.
    """
    *parents, name = path.split(".")
    kind = settings_at(StudyConfig, parents)
    info = kind.model_fields.get(name) if kind else None
    if info is None:
        return []
    registry = registry_of(info)
    return registry.names if registry else list(_written(info.annotation))


def registry_of(info: FieldInfo) -> Registry[Any] | None:
    """The registry whose names a setting takes, if it takes such."""
    return next((each for each in info.metadata if isinstance(each, Registry)), None)


def _written(accepted: Any) -> Iterator[str]:
    if accepted is bool:
        yield from ("true", "false")
    for each in get_args(accepted):
        if isinstance(each, str):
            yield each
        elif each is NoneType:
            yield "null"
        else:
            yield from _written(each)
