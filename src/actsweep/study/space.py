"""What is swept: nested mappings like the configuration itself, whose leaves are values or distributions."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from actsweep.errors import RequestError
from actsweep.settings import Settings, validated

Value = str | int | float | bool | None
Side = Literal["low", "high"]
EDGE_SHARE = 0.1
LARGEST = 1e15
DISTRIBUTIONS = ("log_uniform", "uniform", "int_uniform", "choice")


class _Distribution(Settings):
    distribution: Literal["log_uniform", "uniform", "int_uniform", "choice"]
    min: int | float | None = None
    max: int | float | None = None
    values: list[Any] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> "_Distribution":
        if self.distribution == "choice":
            if self.values is None or self.min is not None or self.max is not None:
                raise ValueError("a choice needs `values`, and neither `min` nor `max`")
            return self
        if self.min is None or self.max is None or self.values is not None:
            raise ValueError(f"{self.distribution} needs `min` and `max`, and no `values`")
        if self.min >= self.max:
            raise ValueError(f"min={self.min} is not below max={self.max}")
        if self.distribution == "log_uniform" and self.min <= 0:
            raise ValueError(f"min={self.min} is not above 0, which log_uniform needs")
        if max(abs(self.min), abs(self.max)) > LARGEST or (
            self.distribution == "log_uniform" and self.min < 1 / LARGEST
        ):
            raise ValueError(
                f"min={self.min} to max={self.max} goes beyond {LARGEST:g}, or closer to 0 than its inverse"
            )
        if self.distribution == "int_uniform" and not (isinstance(self.min, int) and isinstance(self.max, int)):
            raise ValueError("int_uniform needs whole numbers as `min` and `max`")
        return self


@dataclass(frozen=True)
class Dimension:
    """One nuisance setting and the values it may take.

    Attributes:
        path: the setting's dotted path, such as `optimizer.lr`.
        distribution: one of `DISTRIBUTIONS`.
        low: smallest value (not for a choice).
        high: largest value (not for a choice).
        values: the values of a choice.
    """

    path: str
    distribution: str
    low: float = math.nan
    high: float = math.nan
    values: tuple[Value, ...] = ()

    def at(self, u: float) -> Value:
        """The value at position `u` in [0, 1] of the distribution's range, in equal probability per length of `u`."""
        if self.distribution == "choice":
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        if self.distribution == "int_uniform":
            return min(int(self.low) + int(u * (self.high - self.low + 1)), int(self.high))
        if self.distribution == "log_uniform":
            value = math.exp(math.log(self.low) + u * math.log(self.high / self.low))
        else:
            value = self.low + u * (self.high - self.low)
        return float(min(max(value, self.low), self.high))  # rounding may lead beyond an end

    def edge(self, value: Value) -> Side | None:
        """The end of the range within a tenth of which a value lies (of the logarithm, where that is drawn from)."""
        if self.distribution == "choice" or not isinstance(value, int | float):
            return None
        if self.distribution == "log_uniform":
            position = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            position = (value - self.low) / (self.high - self.low)
        return "low" if position < EDGE_SHARE else "high" if position > 1 - EDGE_SHARE else None

    def grown(self, side: Side) -> "Dimension":
        """The range longer on one side by half its width (of its logarithm, where that is drawn from); not a choice."""
        if self.distribution == "choice":
            return self
        if self.distribution == "log_uniform":
            stretch = math.sqrt(self.high / self.low)
            return replace(self, low=self.low / stretch) if side == "low" else replace(self, high=self.high * stretch)
        half = (self.high - self.low) / 2
        half = math.ceil(half) if self.distribution == "int_uniform" else half
        return replace(self, low=self.low - half) if side == "low" else replace(self, high=self.high + half)

    @property
    def width(self) -> float:
        """The length that positions in [0, 1) are spread over; 0 for a choice."""
        if self.distribution == "choice":
            return 0.0
        if self.distribution == "log_uniform":
            return math.log(self.high / self.low)
        return self.high - self.low + (self.distribution == "int_uniform")

    def extremes(self) -> tuple[Value, ...]:
        """The values that a check of the whole range needs to try."""
        if self.distribution == "choice":
            return self.values
        if self.distribution == "int_uniform":
            return int(self.low), int(self.high)
        return float(self.low), float(self.high)


def middle(space: Sequence[Dimension]) -> dict[str, Value]:
    """The value in the middle of each dimension, by dotted path."""
    return {dimension.path: dimension.at(0.5) for dimension in space}


def widened(space: Sequence[Dimension], growths: Sequence[tuple[str, Side]]) -> tuple[Dimension, ...]:
    """A space after ranges grew, one after the other, each given as (dotted path, side)."""
    for path, side in growths:
        space = [dimension.grown(side) if dimension.path == path else dimension for dimension in space]
    return tuple(space)


def combinations(space: Sequence[Dimension]) -> int:
    """How many combinations the choices of a space have; 1 without any."""
    return math.prod(len(dimension.values) for dimension in space if dimension.distribution == "choice")


def text(value: Value) -> str:
    """A value as it is written in a configuration."""
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)


def value_lists(tree: Mapping[str, Any], option: str) -> dict[str, tuple[Value, ...]]:
    """The scientific settings: dotted path -> the values compared, in the order written; null takes a setting out.

    Raises:
        RequestError: a leaf is no list of distinct plain values.
    """
    lists = {}
    for path, leaf in _leaves(tree, option):
        if leaf is None:
            continue
        if not is_list(leaf):
            raise RequestError(f"{option}.{path}: needs a list of values, such as [relu, sigmoid], not {leaf!r}")
        lists[path] = _plain_values(leaf, f"{option}.{path}")
    return lists


def dimensions(tree: Mapping[str, Any], option: str) -> tuple[Dimension, ...]:
    """The nuisance settings as dimensions of the search space; a list is a choice, null takes a setting out.

    Raises:
        RequestError: a leaf is neither a list of distinct values nor a complete distribution.
    """
    leaves = ((path, leaf) for path, leaf in _leaves(tree, option) if leaf is not None)
    return tuple(_dimension(path, leaf, f"{option}.{path}") for path, leaf in leaves)


def arm_leaves(tree: Mapping[str, Any], option: str) -> Iterator[tuple[str, "Value | Dimension"]]:
    """The settings of a named arm: dotted path -> one value, or a dimension where the leaf is a distribution.

    Raises:
        RequestError: a leaf is neither a plain value nor a complete distribution.
    """
    for path, leaf in _leaves(tree, option):
        if isinstance(leaf, Mapping):
            yield path, _dimension(path, leaf, f"{option}.{path}")
        else:
            yield path, _plain_values([leaf], f"{option}.{path}")[0]


def _dimension(path: str, leaf: Any, option: str) -> Dimension:
    if is_list(leaf):
        return Dimension(path, "choice", values=_plain_values(leaf, option))
    if not isinstance(leaf, Mapping):
        raise RequestError(
            f"{option}: needs a list of values or {{distribution: {' | '.join(DISTRIBUTIONS)}, min, max}}, not {leaf!r}"
        )
    try:
        checked = validated(_Distribution, dict(leaf))
    except RequestError as error:
        raise RequestError(f"{option}: {error}") from error
    if checked.values is not None:
        return Dimension(path, "choice", values=_plain_values(checked.values, option))
    assert checked.min is not None
    assert checked.max is not None
    return Dimension(path, checked.distribution, checked.min, checked.max)


def _leaves(tree: Mapping[str, Any], option: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, node in tree.items():
        path = f"{prefix}{key}"
        if isinstance(node, Mapping) and "distribution" not in node:
            if not node:
                raise RequestError(f"{option}.{path}: names no setting; name one, or write null to take it out")
            yield from _leaves(node, option, f"{path}.")
        else:
            yield path, node


def is_list(leaf: object) -> bool:
    """Whether a leaf of a tree of settings is a list, as opposed to a text."""
    return isinstance(leaf, Sequence) and not isinstance(leaf, str)


def _plain_values(values: Sequence[Any], option: str) -> tuple[Value, ...]:
    if not values:
        raise RequestError(f"{option}: the list of values is empty")
    for value in values:
        if not (value is None or isinstance(value, str | int | float | bool)):
            raise RequestError(f"{option}: {value!r} is no plain value (text, number, true, false or null)")
    if len(set(map(repr, values))) < len(values):
        raise RequestError(f"{option}: a value is listed twice in {list(values)}")
    return tuple(values)
