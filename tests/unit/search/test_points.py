from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from scipy.stats import qmc

from actsweep.search.points import block_positions, growth_positions, in_new_stretch, points_at
from actsweep.settings import StudyConfig
from actsweep.settings.study import SearchSettings
from actsweep.study import Study
from actsweep.study.space import Dimension, Value

Compose = Callable[..., StudyConfig]
SEARCHES = get_args(SearchSettings.model_fields["name"].annotation)
DRAWN = [name for name in SEARCHES if name not in ("grid", "tpe")]  # all of whose points are drawn beforehand


def block_points(study: Study, block: int) -> list[dict[str, Value]]:
    return points_at(study.space, block_positions(study, block))


@pytest.mark.parametrize("search", DRAWN)
def test_more_points_begin_with_the_same_ones(compose: Compose, search: str) -> None:
    few = block_points(Study(compose(f"search={search}", "study.tune.points=5")), 0)
    many = block_points(Study(compose(f"search={search}", "study.tune.points=20")), 0)
    assert many[:5] == few
    assert len(many) == 20


@pytest.mark.parametrize("search", DRAWN)
def test_blocks_and_study_seeds_have_points_of_their_own(compose: Compose, search: str) -> None:
    study, other = Study(compose(f"search={search}")), Study(compose(f"search={search}", "study.seed=1"))
    drawn = [block_points(study, 0), block_points(study, 1), block_points(other, 0)]
    assert len({str(points) for points in drawn}) == 3


@pytest.mark.parametrize("search", SEARCHES)
def test_every_cell_gets_the_same_points_all_of_them_within_the_range(compose: Compose, search: str) -> None:
    study = Study(compose(f"search={search}", "+study.nuisance.model.dropout=[0.0,0.1]"))
    positions = block_positions(study, 0)
    assert positions.shape[1] == len(study.space)
    assert 0 < len(positions) <= study.config.study.tune.points
    assert ((positions >= 0) & (positions <= 1)).all()
    assert (block_positions(study, 0) == positions).all()
    points = [points_at(cell.space, positions) for cell in study.cells]
    assert all(of_cell == points[0] for of_cell in points)


def test_no_two_searches_give_the_same_points(compose: Compose) -> None:
    given = {search: block_points(Study(compose(f"search={search}")), 0) for search in SEARCHES}
    assert len({str(points) for points in given.values()}) == len(SEARCHES)


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


def test_a_grid_has_the_ends_of_a_range_and_every_choice(compose: Compose) -> None:
    words = ("search=grid", "+study.nuisance.model.norm=[none,batch]", "study.tune.points=9")
    points = block_points(Study(compose(*words)), 0)
    for norm in ("none", "batch"):
        lr = [point["optimizer.lr"] for point in points if point["model.norm"] == norm]
        np.testing.assert_allclose(np.array(lr, float), [1e-4, 1e-3, 1e-2, 1e-1])


def test_a_grid_never_has_more_points_than_asked_for(compose: Compose) -> None:
    words = ("+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}", "search=grid")
    for points in range(1, 20):
        assert len(block_points(Study(compose(*words, f"study.tune.points={points}")), 0)) == int(points**0.5) ** 2


def test_startup_points_of_tpe_are_those_of_sobol(compose: Compose) -> None:
    assert block_points(Study(compose("search=tpe")), 3) == block_points(Study(compose()), 3)[:4]


@pytest.mark.parametrize(("side", "low", "high"), [("low", 1e-4 / 1e3**0.5, 1e-4), ("high", 1e-1, 1e-1 * 1e3**0.5)])
@pytest.mark.parametrize("search", SEARCHES)
def test_points_of_a_grown_range_lie_in_the_new_stretch(
    compose: Compose, search: str, side: str, low: float, high: float
) -> None:
    study = Study(compose(f"search={search}"))
    before = study.space[0]
    after = before.grown("low" if side == "low" else "high")
    positions = in_new_stretch(growth_positions(study, 0, 0), before, after, 0, "low" if side == "low" else "high")
    lr = [float(str(point["optimizer.lr"])) for point in points_at([after], positions)]
    assert len(lr) == 4
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in lr)


def test_whole_numbers_grow_by_whole_numbers() -> None:
    assert Dimension("x", "int_uniform", 1, 6).grown("high") == Dimension("x", "int_uniform", 1, 9)


def test_a_choice_keeps_its_positions_where_other_arms_have_a_range_that_grows() -> None:
    choice = Dimension("x", "choice", values=(1, 2))
    positions = np.array([[0.2], [0.7]])
    assert (in_new_stretch(positions, choice, choice.grown("high"), 0, "high") == positions).all()
