"""What is compared: arms and strata, and the cells that their combinations are."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from actsweep.errors import RequestError
from actsweep.settings import StudySettings
from actsweep.study.space import Dimension, Value, arm_leaves, dimensions, middle, text, value_lists

ARM = "arm"  # the factor's name where arms have names of their own


@dataclass(frozen=True)
class Cell:
    """One combination of scientific values.

    Attributes:
        values: value by dotted path, the compared factor first; with named arms the factor is `arm`.
        settings: the settings that these values stand for, by dotted path.
        space: the nuisance dimensions with this cell's ranges.
    """

    values: Mapping[str, Value]
    settings: Mapping[str, Value]
    space: tuple[Dimension, ...]

    @cached_property
    def label(self) -> str:
        """The cell's name in tables and trackers, such as `relu/3`."""
        return cell_label(self.values)

    @property
    def middle(self) -> dict[str, Value]:
        """The nuisance values in the middle of the cell's ranges."""
        return middle(self.space)

    def __hash__(self) -> int:
        return hash(self.label)


@dataclass(frozen=True)
class Arm:
    """One of what is compared: its name, the settings that make it, and the nuisance ranges of its own."""

    label: Value
    settings: Mapping[str, Value]
    ranges: Mapping[str, Dimension] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """What a study compares.

    Attributes:
        factor: what tells the arms apart: a dotted path, or `arm`.
        arms: the arms, in the order written.
        strata: the other scientific settings: dotted path -> values.
        space: the nuisance dimensions, with the ranges of arms that have none of their own.
    """

    factor: str
    arms: tuple[Arm, ...]
    strata: Mapping[str, tuple[Value, ...]]
    space: tuple[Dimension, ...]

    def cells(self) -> tuple[Cell, ...]:
        """All combinations, arm by arm."""
        strata = [dict(zip(self.strata, values, strict=True)) for values in itertools.product(*self.strata.values())]
        return tuple(self._cell(arm, stratum) for arm in self.arms for stratum in strata)

    def _cell(self, arm: Arm, stratum: Mapping[str, Value]) -> Cell:
        space = tuple(arm.ranges.get(dimension.path, dimension) for dimension in self.space)
        return Cell({self.factor: arm.label, **stratum}, {**arm.settings, **stratum}, space)


def design(settings: StudySettings) -> Design:
    """What the settings ask to compare.

    Raises:
        RequestError: nothing is compared or tuned, a setting has two roles, or the factor is unknown.
    """
    space = dimensions(settings.nuisance, "study.nuisance")
    if not space:
        raise RequestError(
            "study.nuisance: names no setting to tune, so no arm would get its fair chance; "
            "an example: {optimizer: {lr: {distribution: log_uniform, min: 1e-4, max: 1e-1}}}"
        )
    lists = value_lists(settings.scientific, "study.scientific")
    if settings.arms is None:
        factor = _factor(settings.factor, lists)
        arms = tuple(Arm(value, {factor: value}) for value in lists.pop(factor))
    else:
        factor = _arm_factor(settings.factor)
        arms = _named_arms(settings, space)
        lists = _without_arms_settings(lists, arms)
    for dimension in space:
        if dimension.path in lists or dimension.path == factor:
            raise RequestError(f"{dimension.path} is under study.scientific and under study.nuisance: choose one role")
    return Design(factor, arms, lists, space)


def swept_paths(settings: StudySettings) -> dict[str, str]:
    """Every setting that trials differ in, with the option that says how."""
    roles = dict.fromkeys(value_lists(settings.scientific, "study.scientific"), "study.scientific")
    for name, arm in (settings.arms or {}).items():
        roles |= {path: f"study.arms.{name}" for path, _ in arm_leaves(arm, f"study.arms.{name}")}
    return roles | {dimension.path: "study.nuisance" for dimension in dimensions(settings.nuisance, "study.nuisance")}


def cell_label(values: Mapping[str, Value]) -> str:
    """Scientific values, the compared factor first, as one word such as `relu/3`."""
    return "/".join(text(value) for value in values.values())


def _factor(asked: str | None, lists: Mapping[str, Sequence[Value]]) -> str:
    if not lists:
        raise RequestError("study.scientific: names no setting; an example: {model: {activation: [relu, sigmoid]}}")
    factor = asked or next(iter(lists))
    if factor not in lists:
        raise RequestError(f"study.factor: {factor!r} is not swept; the scientific settings are {', '.join(lists)}")
    if len(lists[factor]) < 2:
        raise RequestError(
            f"study.scientific.{factor}: needs at least two values to compare, not {list(lists[factor])}"
        )
    return factor


def _arm_factor(asked: str | None) -> str:
    if asked not in (None, ARM):
        raise RequestError(f"study.factor: with study.arms the arms are compared: leave it null, not {asked!r}")
    return ARM


def _named_arms(settings: StudySettings, space: Sequence[Dimension]) -> tuple[Arm, ...]:
    named = settings.arms or {}
    if len(named) < 2:
        raise RequestError(f"study.arms: needs at least two arms to compare, not {list(named)}")
    return tuple(_named_arm(name, named[name], {dimension.path for dimension in space}) for name in named)


def _named_arm(name: str, tree: Mapping[str, object], tuned: set[str]) -> Arm:
    option = f"study.arms.{name}"
    fixed: dict[str, Value] = {}
    ranges: dict[str, Dimension] = {}
    for path, leaf in arm_leaves(tree, option):
        if isinstance(leaf, Dimension) != (path in tuned):
            raise RequestError(
                f"{option}.{path}: "
                + (
                    f"is tuned in this study, so an arm may give it another range, not one value ({leaf!r})"
                    if path in tuned
                    else "a range is only for a setting under study.nuisance; give one value"
                )
            )
        if isinstance(leaf, Dimension):
            ranges[path] = leaf
        else:
            fixed[path] = leaf
    return Arm(name, fixed, ranges)


def _without_arms_settings(lists: Mapping[str, tuple[Value, ...]], arms: Sequence[Arm]) -> dict[str, tuple[Value, ...]]:
    """The strata: a list of a setting that every arm gives itself is superseded."""
    strata = {}
    for path, values in lists.items():
        setting = [arm for arm in arms if path in arm.settings]
        if not setting:
            strata[path] = values
        elif len(setting) < len(arms):
            raise RequestError(
                f"{path} is under study.scientific and set by study.arms.{setting[0].label}, but not by every arm: "
                "set it in all arms, or in none"
            )
    return strata
