"""Positions of nuisance points: the same for every cell of a tuning block, in the same order."""

import itertools
import math
from collections.abc import Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from actsweep.settings import Drawn
from actsweep.study import Study
from actsweep.study.space import Dimension, Side, Value, combinations

Positions = NDArray[np.float64]  # shape (points, dimensions), each in [0, 1]
_POINT_STREAM, _GROWTH_STREAM = 1000, 1001  # apart from the streams that trials' seeds come from


def block_positions(study: Study, block: int) -> Positions:
    """The positions of one block's points, before any that are learned.

    Asking for more points later gives the same ones first, but for a grid.
    """
    points, search = study.config.study.tune.points, study.config.search
    rng = _stream(study, _POINT_STREAM, block)
    match search.name:
        case "tpe":
            return positions("sobol", min(points, search.startup or points), study.space, rng)
        case name:
            return positions(name, points, study.space, rng)


def positions(search: Drawn, points: int, space: Sequence[Dimension], rng: np.random.Generator) -> Positions:
    """The positions of at most `points` points of a space; a grid has at least one for each combination of choices."""
    match search:
        case "grid":
            return _grid(points, space)
        case "random":
            return rng.random((points, len(space)))
        case "sobol":
            return _sobol(points, len(space), rng)
        case name:
            assert_never(name)


def growth_positions(study: Study, block: int, growth: int) -> Positions:
    """The positions of the new points of a block after the range of one setting grew for the `growth`-th time, from 0.

    In the setting that grew they are positions in the new stretch.
    """
    rng = _stream(study, _GROWTH_STREAM, block, growth)
    match study.config.search.name:
        case "random":
            return rng.random((study.growth_points, len(study.space)))
        case "sobol" | "grid" | "tpe":
            return _sobol(study.growth_points, len(study.space), rng)
        case name:
            assert_never(name)


def points_at(space: Sequence[Dimension], positions: Positions) -> list[dict[str, Value]]:
    """Nuisance values by dotted path; a point that repeats an earlier one is left out."""
    points = [
        {dimension.path: dimension.at(float(u)) for dimension, u in zip(space, row, strict=True)} for row in positions
    ]
    return [point for index, point in enumerate(points) if point not in points[:index]]


def in_new_stretch(positions: Positions, before: Dimension, after: Dimension, column: int, side: Side) -> Positions:
    """Positions in the whole of a grown range, from positions in the stretch by which it grew.

    A choice, which an arm may have where others have a range, does not grow: its positions stay as they are.
    """
    if after == before:
        return positions
    new = 1 - before.width / after.width
    moved = positions.copy()
    moved[:, column] = new * positions[:, column] + (0 if side == "low" else 1 - new)
    return moved


def _stream(study: Study, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(study.config.study.seed, spawn_key=key))


def _sobol(n: int, dimensions: int, rng: np.random.Generator) -> Positions:
    """Scrambled Sobol points in [0, 1) (Owen scrambling, as scipy implements it)."""
    sampler = qmc.Sobol(dimensions, scramble=True, rng=rng)
    return np.asarray(sampler.random_base2(math.ceil(math.log2(n)))[:n])


def _grid(n: int, space: Sequence[Dimension]) -> Positions:
    """Every value of each choice with the most levels of each range, its ends among them, that `n` points allow."""
    ranges = sum(dimension.distribution != "choice" for dimension in space)
    levels = _root(n // combinations(space), ranges)
    return np.array(list(itertools.product(*(_levels(dimension, levels) for dimension in space))))


def _root(n: int, degree: int) -> int:
    """The largest whole number whose power does not exceed `n`."""
    return max(k for k in range(1, n + 1) if k**degree <= n) if degree else 1


def _levels(dimension: Dimension, levels: int) -> list[float]:
    if dimension.distribution == "choice":
        count = len(dimension.values)
        return [(index + 0.5) / count for index in range(count)]
    return [0.5] if levels == 1 else [float(u) for u in np.linspace(0, 1, levels)]
