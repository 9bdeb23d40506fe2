from collections.abc import Callable

import pytest

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from actsweep.study import Study
from named_arms import ARMS

Compose = Callable[..., StudyConfig]


def test_cells_are_all_combinations_the_factor_first(compose: Compose) -> None:
    study = Study(compose("study.scientific.model.activation=[relu,tanh]", "study.scientific.model.depth=[3,4]"))
    assert [cell.label for cell in study.cells] == ["relu/3", "relu/4", "tanh/3", "tanh/4"]


def test_any_setting_can_be_the_factor(compose: Compose) -> None:
    study = Study(
        compose(
            "~study.scientific.model",
            "+study.scientific.optimizer.name=[adam,sgd]",
            "+study.scientific.model.norm=[none]",
        )
    )
    assert (study.factor, study.strata, study.reference) == ("optimizer.name", ("model.norm",), "adam")
    assert study.cells[1].label == "sgd/none"


def test_the_factor_can_be_chosen_and_the_others_become_strata(compose: Compose) -> None:
    study = Study(compose("study.factor=model.depth", "study.scientific.model.depth=[3,4]"))
    assert [cell.label for cell in study.cells] == ["3/relu", "3/sigmoid", "4/relu", "4/sigmoid"]
    assert study.reference == 3


def test_relu_is_the_reference_where_it_takes_part(compose: Compose) -> None:
    assert Study(compose("study.scientific.model.activation=[gelu,relu]")).reference == "relu"
    assert Study(compose("study.scientific.model.activation=[gelu,tanh]")).reference == "gelu"
    assert Study(compose("study.reference=sigmoid")).reference == "sigmoid"


def test_named_arms_are_the_factor_and_take_the_place_of_lists(compose: Compose) -> None:
    study = Study(compose(ARMS, "study.scientific.model.depth=[3,4]"))
    assert (study.factor, study.arms, study.strata, study.reference) == (
        "arm",
        ("he", "glorot"),
        ("model.depth",),
        "he",
    )
    assert [cell.label for cell in study.cells] == ["he/3", "he/4", "glorot/3", "glorot/4"]
    config = study.tune_trial(study.cells[3], 0, {"optimizer.lr": 0.01}).config
    assert (config.model.activation, config.model.init, config.model.depth) == ("sigmoid", "xavier", 4)
    assert study.short_names["arm"] == "arm"


def test_an_arm_may_have_a_range_of_its_own(compose: Compose) -> None:
    own = "optimizer: {lr: {distribution: log_uniform, min: 0.01, max: 1.0}}"
    study = Study(compose(f"study.arms={{a: {{model.activation: relu}}, b: {{model.activation: tanh, {own}}}}}"))
    assert [cell.space[0].low for cell in study.cells] == [1e-4, 0.01]


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("{a: {model.activation: relu}}", "study.arms: needs at least two arms to compare, not ['a']"),
        ("{a: {model.width: 4}, b: {model.width: 4}}", "study.arms: a/relu/3 and b/relu/3 are the same training"),
        ("{a: {model.widht: 4}, b: {model.width: 4}}", "cannot sweep 'model.widht': no such setting"),
        ("{a: {optimizer.lr: 0.1}, b: {model.width: 4}}", "study.arms.a.optimizer.lr: is tuned in this study"),
        (
            "{a: {model.width: {distribution: int_uniform, min: 2, max: 4}}, b: {model.width: 4}}",
            "study.arms.a.model.width: a range is only for a setting under study.nuisance",
        ),
        ("{a: {model.depth: 4}, b: {model.width: 4}}", "model.depth is under study.scientific and set by study.arms.a"),
        ("{a: {data.name: digits}, b: {model.width: 4}}", "cannot sweep 'data.name'"),
        ("{a: {model.width: [4]}, b: {model.width: 4}}", "study.arms.a.model.width: [4] is no plain value"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(compose: Compose, arms: str, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        Study(compose(f"study.arms={arms}"))
    assert message in str(refusal.value)


def test_with_named_arms_the_factor_is_the_arm(compose: Compose) -> None:
    words = "study.arms={a: {model.width: 4}, b: {model.width: 8}}"
    assert Study(compose(words, "study.factor=arm")).factor == Study(compose(words)).factor == "arm"
    with pytest.raises(
        RequestError, match=r"with study\.arms the arms are compared: leave it null, not 'model\.depth'"
    ):
        Study(compose(words, "study.factor=model.depth"))


def test_null_takes_a_setting_out_of_what_is_swept(compose: Compose) -> None:
    study = Study(compose("+study.scientific.optimizer.name=[adam,sgd]", "study.scientific.model=null"))
    assert [cell.label for cell in study.cells] == ["adam", "sgd"]
    drop = "+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}"
    assert [dim.path for dim in Study(compose(drop, "study.nuisance.optimizer=null")).space] == ["model.dropout"]
