from collections.abc import Callable
from typing import Any

import pytest

from actsweep.settings import StudyConfig, validated
from actsweep.study import Study, extension
from named_arms import ARMS

Compose = Callable[..., StudyConfig]


@pytest.mark.parametrize(
    "words",
    [
        ["study.replicate.seeds=11"],
        ["study.tune.blocks=2"],
        ["study.tune.points=16"],
        ["study.scientific.model.activation=[relu,tanh,sigmoid]"],
        ["study.scientific.model.depth=[3,6]", "study.replicate.seeds=20"],
    ],
)
def test_what_only_adds_trials_is_an_addition(compose: Compose, words: list[str]) -> None:
    found = extension(compose(), compose(*words))
    assert len(found.added) == len(words)
    assert not found.other


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], ["study.replicate.seeds=9"]),
        ([], ["study.scientific.model.activation=[relu,tanh]"]),
        ([], ["trainer.epochs=30"]),
        (["search=grid"], ["search=grid", "study.tune.points=16"]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.tune.points=16"]),
        (
            ["study.scientific.model.activation=[tanh,elu]"],
            ["study.scientific.model.activation=[tanh,elu,relu]"],
        ),
        ([ARMS], [ARMS.replace("model.init: he", "model.init: matched")]),
        ([ARMS.replace("he:", "he.2:")], [ARMS.replace("he: {", "he.2: {model.norm: batch, ")]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.tune.blocks=2"]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.scientific.model.depth=[3,4]"]),
    ],
)
def test_what_alters_trials_or_their_meaning_is_no_addition(
    compose: Compose, before: list[str], now: list[str]
) -> None:
    assert extension(compose(*before), compose(*now)).other


def test_seeds_can_be_added_where_ranges_may_widen(compose: Compose) -> None:
    found = extension(compose("study.tune.widen=1"), compose("study.tune.widen=1", "study.replicate.seeds=11"))
    assert (found.added, found.other) == ((("study.replicate.seeds", 10, 11),), ())


def turned(tree: Any) -> Any:
    """Nested settings in the opposite order."""
    return {key: turned(tree[key]) for key in reversed(tree)} if isinstance(tree, dict) else tree


def test_what_the_order_of_settings_decides_is_no_addition(compose: Compose) -> None:
    """The first scientific setting is the factor, and the first tuned one has the first coordinate of each point."""
    drop = "+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}"
    config = compose(drop, "study.scientific.model.depth=[3,4]")
    for part, option in (("scientific", "study.factor"), ("nuisance", "study.nuisance")):
        tree = config.model_dump()
        tree["study"][part] = turned(tree["study"][part])
        assert extension(config, validated(StudyConfig, tree)).other[0][0] == option


def test_an_arm_can_be_added_to_named_arms(compose: Compose) -> None:
    found = extension(compose(ARMS), compose(ARMS[:-1] + ", third: {model.activation: tanh, model.init: he}}"))
    assert [path for path, _, _ in found.added] == ["study.arms.third.model.activation", "study.arms.third.model.init"]
    assert not found.other


def test_an_extension_keeps_the_trials_that_there_are(compose: Compose) -> None:
    few, many = Study(compose()), Study(compose("study.replicate.seeds=12", "study.scientific.model.depth=[3,4]"))
    before = few.seeded_trials("replicate", few.cells[1], 0, {"optimizer.lr": 0.01})
    after = many.seeded_trials("replicate", many.cells[2], 0, {"optimizer.lr": 0.01})
    assert [trial.trial_id for trial in after[:10]] == [trial.trial_id for trial in before]
