"""The same points for every group of trials, in any Tuner."""

import itertools
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from ray.tune.search import Searcher
from ray.tune.search.sample import Categorical, Domain, Float, Integer, LogUniform, Uniform

from actsweep.errors import RequestError
from actsweep.search.points import points_at, positions
from actsweep.settings import Drawn, known_are
from actsweep.study.space import Dimension, Value, combinations, dimensions, value_lists

_DISTRIBUTIONS = {
    (Float, Uniform): "uniform",
    (Float, LogUniform): "log_uniform",
    (Integer, Uniform): "int_uniform",
}


class EqualPoints(Searcher):
    """Gives every group the same points in the same order, so that each has the same chance to be tuned well.

    The first point comes for one group after the other, then the second. `TuneConfig` needs `num_samples=-1`: the
    searcher says itself when it has no more. `param_space` may hold constants that all trials share. `Tuner.restore`
    goes on with the points that are left.

    Args:
        groups: the settings that are compared, each with its values, such as `{"activation": ["relu", "tanh"]}`. Every
            combination of values is a group.
        space: the settings that are tuned: `tune.uniform`, `tune.loguniform`, `tune.randint`, `tune.choice`, a list of
            values, or a distribution as under `study.nuisance`, such as
            `{"distribution": "log_uniform", "min": 1e-4, "max": 0.1}`.
        points: how many points each group gets. A grid may have fewer, as may a space of choices: no point comes twice.
        seed: of the points, whole and not negative; the grid needs none.
        search: how points are drawn, one of `actsweep.settings.Drawn`, such as `sobol` (scrambled) or `grid`.

    Raises:
        RequestError: a setting is in both, has nothing to choose from or another distribution, or the points are too
            few.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[Value]],
        space: Mapping[str, Any],
        points: int,
        *,
        seed: int = 0,
        search: Drawn = "sobol",
    ) -> None:
        super().__init__()
        if search not in get_args(Drawn):
            raise RequestError(f"search={search}: {known_are(get_args(Drawn), search)}")
        if not isinstance(seed, int) or seed < 0:
            raise RequestError(f"seed={seed}: needs a whole number from 0")
        arms, tuned = _arms(groups), _dimensions(space, set(groups))
        least = combinations(tuned) if search == "grid" else 1
        if not isinstance(points, int) or points < least:
            raise RequestError(f"points={points}: needs at least {least}, with search={search} in this space")
        drawn = points_at(tuned, positions(search, points, tuned, np.random.default_rng(seed)))
        self._left = deque({**arm, **point} for point in drawn for arm in arms)

    def suggest(self, trial_id: str) -> dict[str, Value] | str:
        """The configuration of the next trial, FINISHED when there are no more."""
        return self._left.popleft() if self._left else str(self.FINISHED)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing to learn: no point depends on what came of others."""

    def save(self, checkpoint_path: str) -> None:
        """Write the points that are left into a file."""
        Path(checkpoint_path).write_text(json.dumps(list(self._left)), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Go on with the points that were left."""
        self._left = deque(json.loads(Path(checkpoint_path).read_text(encoding="utf-8")))


def _arms(groups: Mapping[str, Sequence[Value]]) -> list[dict[str, Value]]:
    lists = value_lists(groups, "groups")
    _refuse_nested(groups, list(lists), "groups")
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


def _dimensions(space: Mapping[str, Any], compared: set[str]) -> tuple[Dimension, ...]:
    found = dimensions(dict(_leaves(space)), "space")
    _refuse_nested(space, [dimension.path for dimension in found], "space")
    if twice := compared & set(space):
        raise RequestError(f"space.{min(twice)}: is compared (groups), so it cannot be tuned")
    return found


def _refuse_nested(given: Mapping[str, Any], found: list[str], option: str) -> None:
    if not given or list(given) != found:
        raise RequestError(f"{option}: needs one setting or more, by the keys of a trial's configuration, not {given}")


def _leaves(space: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The space with Tune's own domains in our words."""
    for key, leaf in space.items():
        yield key, _in_our_words(leaf, f"space.{key}") if isinstance(leaf, Domain) else leaf


def _in_our_words(domain: Domain, option: str) -> Any:
    if isinstance(domain, Categorical):
        return domain.categories
    for (kind, sampler), distribution in _DISTRIBUTIONS.items():
        if isinstance(domain, kind) and isinstance(domain.get_sampler(), sampler):
            last = domain.upper - 1 if kind is Integer else domain.upper
            return {"distribution": distribution, "min": domain.lower, "max": last}
    raise RequestError(f"{option}: needs tune.uniform, loguniform, randint or choice, without steps")
