from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import qmc

from actsweep.search.points import block_points
from actsweep.settings import StudyConfig
from actsweep.study import Study

Compose = Callable[..., StudyConfig]


@pytest.mark.parametrize("search", ["sobol", "random"])
def test_more_points_begin_with_the_same_ones(compose: Compose, search: str) -> None:
    few = block_points(Study(compose(f"search={search}", "study.tune.points=5")), 0)
    many = block_points(Study(compose(f"search={search}", "study.tune.points=20")), 0)
    assert many[:5] == few
    assert len(many) == 20


@pytest.mark.parametrize("search", ["sobol", "random"])
def test_blocks_and_study_seeds_have_points_of_their_own(compose: Compose, search: str) -> None:
    study, other = Study(compose(f"search={search}")), Study(compose(f"search={search}", "study.seed=1"))
    drawn = [block_points(study, 0), block_points(study, 1), block_points(other, 0)]
    assert len({str(points) for points in drawn}) == 3


def test_sobol_points_fill_the_range_evenly(compose: Compose) -> None:
    """Eight scrambled Sobol points have one in each eighth of the range."""
    for block in range(20):
        lr = [point["optimizer.lr"] for point in block_points(Study(compose()), block)]
        eighths = np.floor(8 * np.log(np.array(lr, float) / 1e-4) / np.log(1e3))
        assert sorted(eighths) == list(range(8))


def test_sobol_points_are_better_spread_than_random_ones_in_two_dimensions(compose: Compose) -> None:
    def discrepancy(search: str, block: int) -> float:
        words = ("+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}", "study.tune.points=64")
        points = block_points(Study(compose(f"search={search}", *words)), block)
        lr = np.log(np.array([point["optimizer.lr"] for point in points], float) / 1e-4) / np.log(1e3)
        dropout = np.array([point["model.dropout"] for point in points], float) / 0.5
        return float(qmc.discrepancy(np.column_stack([lr, dropout])))

    assert np.mean([discrepancy("sobol", block) for block in range(5)]) < 0.5 * np.mean(
        [discrepancy("random", block) for block in range(5)]
    )


def test_a_point_that_repeats_another_is_left_out(compose: Compose) -> None:
    words = ("~study.nuisance.optimizer", "+study.nuisance.model.norm=[none,batch,group]")
    points = block_points(Study(compose(*words)), 0)
    assert sorted(str(point["model.norm"]) for point in points) == ["batch", "group", "none"]
