"""The same points for every group, in Tune's words and in ours."""

import copy
import pickle
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from ray import tune

from actsweep.errors import RequestError
from actsweep.search import EqualPoints
from actsweep.settings import Drawn

GROUPS = {"activation": ["relu", "tanh"], "depth": [1, 2, 3]}
LR = {"lr": tune.loguniform(1e-4, 1e-1)}
Config = dict[str, Any]


def suggested(searcher: EqualPoints) -> list[Config]:
    """All that a searcher has."""
    configs = []
    while (config := searcher.suggest(f"t{len(configs)}")) != searcher.FINISHED:
        assert isinstance(config, dict)
        configs.append(config)
    return configs


def points_of(searcher: EqualPoints) -> list[Config]:
    return [{key: value for key, value in config.items() if key != "arm"} for config in suggested(searcher)]


def one_arm(space: Config, points: int, **options: Any) -> EqualPoints:
    return EqualPoints({"arm": [0]}, space, points, **options)


@pytest.mark.parametrize("search", get_args(Drawn))
def test_every_group_gets_the_same_points_one_after_the_other(search: Any) -> None:
    configs = suggested(EqualPoints(GROUPS, LR, 4, search=search))
    rounds = [configs[start : start + 6] for start in range(0, len(configs), 6)]
    assert len(rounds) == 4
    for configs in rounds:
        groups = [(config["activation"], config["depth"]) for config in configs]
        assert groups == [(activation, depth) for activation in ("relu", "tanh") for depth in (1, 2, 3)]
        assert len({config["lr"] for config in configs}) == 1
    assert len({configs[0]["lr"] for configs in rounds}) == 4


def test_sobol_points_are_scrambled_by_the_seed_and_have_one_in_each_eighth_of_the_range() -> None:
    drawn = [points_of(one_arm(LR, 8, seed=seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    eighths = [int(8 * np.log(point["lr"] / 1e-4) / np.log(1e3)) for point in drawn[0]]
    assert sorted(eighths) == list(range(8))


def test_more_points_begin_with_the_same_ones() -> None:
    assert points_of(one_arm(LR, 20))[:5] == points_of(one_arm(LR, 5))


def test_domains_of_tune_mean_what_ours_mean() -> None:
    theirs = {
        "lr": tune.loguniform(1e-4, 1e-1),
        "dropout": tune.uniform(0.0, 0.5),
        "layers": tune.randint(1, 4),
        "norm": tune.choice(["none", "batch"]),
    }
    ours = {
        "lr": {"distribution": "log_uniform", "min": 1e-4, "max": 1e-1},
        "dropout": {"distribution": "uniform", "min": 0.0, "max": 0.5},
        "layers": {"distribution": "int_uniform", "min": 1, "max": 3},
        "norm": ["none", "batch"],
    }
    points = points_of(one_arm(theirs, 64))
    assert points == points_of(one_arm(ours, 64))
    assert {point["layers"] for point in points} == {1, 2, 3}
    assert {point["norm"] for point in points} == {"none", "batch"}


def test_a_grid_has_the_ends_of_a_range_and_no_point_comes_twice() -> None:
    grid = [point["lr"] for point in points_of(one_arm(LR, 4, search="grid"))]
    np.testing.assert_allclose(grid, [1e-4, 1e-3, 1e-2, 1e-1])
    assert len(points_of(one_arm({"norm": ["none", "batch"]}, 16))) == 2


def test_what_is_left_is_saved_and_restored_as_tune_does_it(tmp_path: Path) -> None:
    whole = suggested(EqualPoints(GROUPS, LR, 4))
    begun = EqualPoints(GROUPS, LR, 4)
    assert [begun.suggest(str(number)) for number in range(7)] == whole[:7]
    begun.on_trial_complete("0", {"lr": 0.1})
    begun.save_to_dir(str(tmp_path))
    pickled = pickle.loads(pickle.dumps(begun))
    restored = EqualPoints({"activation": ["other"]}, {"lr": [1]}, 1)
    restored.restore_from_dir(str(tmp_path))
    for again in (copy.deepcopy(begun), pickled, restored):
        assert suggested(again) == whole[7:]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"groups": {}}, "groups: needs one setting or more"),
        ({"groups": {"activation": "relu"}}, "groups.activation: needs a list of values"),
        ({"groups": {"model": {"activation": ["relu"]}}}, "groups: needs one setting or more, by the keys"),
        ({"groups": {"lr": [0.1]}}, r"space.lr: is compared \(groups\), so it cannot be tuned"),
        ({"space": {}}, "space: needs one setting or more"),
        ({"space": {"optimizer": {"lr": [0.1]}}}, "space: needs one setting or more, by the keys"),
        ({"space": {"lr": tune.grid_search([0.1])}}, "space: needs one setting or more, by the keys"),
        ({"space": {"lr": 0.1}}, "space.lr: needs a list of values or"),
        ({"space": {"lr": tune.quniform(0, 1, 0.1)}}, "space.lr: needs tune.uniform, loguniform, randint or choice"),
        ({"space": {"lr": tune.randn()}}, "space.lr: needs tune.uniform, loguniform, randint or choice"),
        ({"space": {"lr": tune.lograndint(1, 10)}}, "space.lr: needs tune.uniform, loguniform, randint or choice"),
        ({"space": {"lr": tune.uniform(1.0, 1.0)}}, "space.lr: .*min=1.0 is not below max=1.0"),
        ({"points": 0}, "points=0: needs at least 1"),
        ({"points": 2.5}, "points=2.5: needs at least 1"),
        ({"seed": -1}, "seed=-1: needs a whole number from 0"),
        ({"search": "grid", "space": {"norm": ["a", "b", "c"]}, "points": 2}, "points=2: needs at least 3"),
        ({"search": "tpe"}, "search=tpe: known are sobol, random, grid"),
    ],
)
def test_what_is_refused(changed: Config, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        EqualPoints(**{"groups": {"activation": ["relu"]}, "space": LR, "points": 4, **changed})
