import math

import pytest

from actsweep.errors import RequestError
from actsweep.study.space import Dimension, combinations, dimensions, middle, text, value_lists, widened

LR = {"distribution": "log_uniform", "min": 1e-4, "max": 1e-1}


def test_nested_settings_become_dotted_paths_in_the_order_written() -> None:
    tree = {"model": {"activation": ["relu", "sigmoid"], "depth": [3]}, "optimizer": {"name": ["adam"]}}
    assert value_lists(tree, "study.scientific") == {
        "model.activation": ("relu", "sigmoid"),
        "model.depth": (3,),
        "optimizer.name": ("adam",),
    }


def test_equal_steps_of_the_unit_interval_are_equal_ratios_on_a_log_scale() -> None:
    (lr,) = dimensions({"optimizer": {"lr": LR}}, "study.nuisance")
    values = [lr.at(u) for u in (0.0, 1 / 3, 2 / 3)]
    assert values == pytest.approx([1e-4, 1e-3, 1e-2])


@pytest.mark.parametrize(("low", "high"), [(1e-4, 0.1), (1e-7, 0.3), (3e-5, 0.7)])
@pytest.mark.parametrize("distribution", ["log_uniform", "uniform"])
def test_no_value_lies_beyond_an_end(distribution: str, low: float, high: float) -> None:
    dimension = Dimension("x", distribution, low, high)
    assert low <= float(str(dimension.at(0.0))) <= float(str(dimension.at(1.0))) <= high


def test_uniform_is_linear() -> None:
    assert Dimension("x", "uniform", 2.0, 4.0).at(0.25) == 2.5


def test_whole_numbers_come_up_equally_often_both_ends_included() -> None:
    dimension = Dimension("x", "int_uniform", 1, 4)
    assert [dimension.at(u) for u in (0, 0.2499, 0.25, 0.5, 0.75, 0.9999)] == [1, 1, 2, 3, 4, 4]


def test_a_list_is_a_choice() -> None:
    (dimension,) = dimensions({"model": {"norm": ["none", "batch"]}}, "study.nuisance")
    assert [dimension.at(u) for u in (0.0, 0.49, 0.5, 0.99)] == ["none", "none", "batch", "batch"]


@pytest.mark.parametrize(
    ("value", "near"),
    [(1e-4, "low"), (1.9e-4, "low"), (2.1e-4, None), (4.9e-2, None), (5.1e-2, "high"), (1e-1, "high")],
)
def test_an_edge_is_a_tenth_of_the_logarithmic_range(value: float, near: str | None) -> None:
    assert Dimension("lr", "log_uniform", 1e-4, 1e-1).edge(value) == near


def test_a_choice_has_no_edge() -> None:
    assert Dimension("x", "choice", values=(1, 2)).edge(1) is None
    assert math.isnan(Dimension("x", "choice", values=(1, 2)).low)


def test_an_edge_of_a_linear_range_is_a_tenth_of_it() -> None:
    assert [Dimension("x", "uniform", 0.0, 1.0).edge(value) for value in (0.09, 0.5, 0.91)] == ["low", None, "high"]


@pytest.mark.parametrize(
    ("dimension", "lower", "higher"),
    [
        (Dimension("x", "log_uniform", 0.01, 1.0), (0.001, 1.0), (0.01, 10.0)),
        (Dimension("x", "uniform", 2.0, 4.0), (1.0, 4.0), (2.0, 5.0)),
        (Dimension("x", "int_uniform", 2, 5), (0, 5), (2, 7)),
    ],
)
def test_a_range_grows_by_half_its_width(
    dimension: Dimension, lower: tuple[float, float], higher: tuple[float, float]
) -> None:
    for side, expected in (("low", lower), ("high", higher)):
        grown = dimension.grown(side)
        assert (grown.low, grown.high) == pytest.approx(expected)


def test_a_choice_does_not_grow() -> None:
    choice = Dimension("x", "choice", values=(1, 2))
    assert choice.grown("high") == choice


def test_ranges_of_a_space_grow_in_turn_and_each_by_its_path() -> None:
    lr, decay = Dimension("lr", "uniform", 0.0, 2.0), Dimension("decay", "uniform", 0.0, 1.0)
    after = widened([lr, decay], [("lr", "high"), ("lr", "high")])
    assert [(dimension.low, dimension.high) for dimension in after] == [(0.0, 4.5), (0.0, 1.0)]


def test_positions_are_spread_over_the_width() -> None:
    assert Dimension("x", "uniform", 2.0, 4.0).width == 2.0
    assert Dimension("x", "int_uniform", 1, 4).width == 4
    assert Dimension("x", "log_uniform", 0.1, 1.0).width == pytest.approx(math.log(10))
    assert Dimension("x", "choice", values=(1, 2)).width == 0.0


def test_the_extremes_are_the_ends_or_all_of_a_choice() -> None:
    assert Dimension("x", "uniform", 2, 4).extremes() == (2.0, 4.0)
    assert Dimension("x", "int_uniform", 2.0, 4.0).extremes() == (2, 4)
    assert Dimension("x", "choice", values=(1, 2, 3)).extremes() == (1, 2, 3)


def test_a_space_has_a_middle_and_combinations_of_its_choices() -> None:
    space = [
        Dimension("lr", "log_uniform", 0.01, 1.0),
        Dimension("norm", "choice", values=("none", "group", "batch")),
        Dimension("nesterov", "choice", values=(True, False)),
    ]
    assert middle(space) == {"lr": pytest.approx(0.1), "norm": "group", "nesterov": False}
    assert combinations(space) == 6
    assert combinations(space[:1]) == 1


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        ({**LR, "min": 0}, "study.nuisance.lr: min=0 is not above 0, which log_uniform needs"),
        ({**LR, "min": 1}, "study.nuisance.lr: min=1 is not below max=0.1"),
        ({"distribution": "log_uniform", "min": 1}, "log_uniform needs `min` and `max`"),
        ({**LR, "distribution": "normal"}, "known are log_uniform, uniform, int_uniform, choice"),
        ({**LR, "step": 2}, "no such setting"),
        ({**LR, "min": 5e-324}, "closer to 0 than its inverse"),
        ({"distribution": "int_uniform", "min": 1, "max": 10**30}, "goes beyond 1e+15"),
        ({"distribution": "int_uniform", "min": 1, "max": 2.5}, "whole numbers"),
        ({"distribution": "choice", "values": []}, "at least 1 item"),
        ({"distribution": "choice", "min": 1, "max": 2}, "a choice needs `values`"),
        (0.1, "needs a list of values or {distribution: log_uniform | uniform | int_uniform | choice, min, max}"),
        ([], "the list of values is empty"),
        ([1, 1], "a value is listed twice in [1, 1]"),
        ([[1]], "[1] is no plain value"),
        ({}, "names no setting"),
    ],
)
def test_a_nuisance_setting_that_cannot_be_sampled_is_refused(leaf: object, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        dimensions({"lr": leaf}, "study.nuisance")
    assert message in str(refusal.value)


def test_a_scientific_setting_needs_a_list() -> None:
    with pytest.raises(RequestError, match=r"study.scientific.model.depth: needs a list of values"):
        value_lists({"model": {"depth": 3}}, "study.scientific")


def test_values_are_written_as_in_a_configuration() -> None:
    assert [text(value) for value in (True, None, 3, 0.5, "relu")] == ["true", "null", "3", "0.5", "relu"]
