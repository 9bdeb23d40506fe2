"""The values of those settings that take a name: one of a few, true or false, or what a registry holds."""

from itertools import chain
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

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
    return registry.names if registry else _written(info.annotation)


def registry_of(info: FieldInfo) -> Registry[Any] | None:
    """The registry whose names a setting takes, if it takes such."""
    return next((each for each in info.metadata if isinstance(each, Registry)), None)


def _written(accepted: Any) -> list[str]:
    """All that a type accepts, where that are a few words; null alone, beside any text or number, is of no use."""
    if accepted is bool:
        return ["true", "false"]
    if get_origin(accepted) is Literal:
        return [str(each) for each in get_args(accepted)]
    if get_origin(accepted) in (Union, UnionType) and NoneType in get_args(accepted):
        others = [_written(each) for each in get_args(accepted) if each is not NoneType]
        return [*chain(*others), "null"] if all(others) else []
    return []
