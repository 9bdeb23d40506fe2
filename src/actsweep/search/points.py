"""The nuisance points of a tuning block: the same for every cell, in the same order."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from actsweep.space import Value
from actsweep.study import Study

_POINT_STREAM = 1000  # apart from the streams that trials' seeds come from


def block_points(study: Study, block: int) -> list[dict[str, Value]]:
    """The points of one block, as values by dotted path; a point that repeats an earlier one is left out.

    Asking for more points later gives the same ones first.
    """
    settings = study.config.study
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(_POINT_STREAM, block)))
    draw = _sobol if study.config.search.name == "sobol" else _random
    unit = draw(settings.tune.points, len(study.space), rng)
    points = [{dim.path: dim.at(float(u)) for dim, u in zip(study.space, row, strict=True)} for row in unit]
    return [point for index, point in enumerate(points) if point not in points[:index]]


def _sobol(n: int, dimensions: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scrambled Sobol points, shape (n, dimensions), in [0, 1) (Owen scrambling, as scipy implements it)."""
    sampler = qmc.Sobol(dimensions, scramble=True, rng=rng)
    return np.asarray(sampler.random_base2(math.ceil(math.log2(n)))[:n])


def _random(n: int, dimensions: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.random((n, dimensions))
