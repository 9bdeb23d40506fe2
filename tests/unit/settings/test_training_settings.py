"""What a trial's optimizer and trainer may be asked for."""

from collections.abc import Callable

import pytest

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from actsweep.study import trial_id


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("optimizer.nesterov=true",), "optimizer.nesterov=true is a kind of momentum of SGD: it needs optimizer=sgd"),
        (("optimizer=sgd", "optimizer.nesterov=true", "optimizer.momentum=0"), "not optimizer.name=sgd with"),
        (("optimizer.schedule=step",), "optimizer.step_epochs is a setting of optimizer.schedule=step, which needs it"),
        (("optimizer.schedule=step", "optimizer.step_epochs=5"), "optimizer.gamma is a setting of"),
        (
            ("optimizer.gamma=0.1",),
            "optimizer.gamma is a setting of optimizer.schedule=step, which needs it, and of no",
        ),
        (("optimizer.step_epochs=5", "optimizer.schedule=cosine"), "(null with optimizer.schedule=cosine)"),
        (("optimizer.schedule=linear",), "'linear' is not accepted; known are none, cosine, one_cycle, step"),
        (("optimizer.warmup=-1",), "optimizer.warmup: should be greater than or equal to 0, not -1"),
        (("optimizer.warmup=20",), "optimizer.warmup=20 is not below trainer.epochs=20"),
        (
            ("optimizer.schedule=step", "optimizer.step_epochs=20", "optimizer.gamma=0.1"),
            "optimizer.step_epochs=20 is not below trainer.epochs=20",
        ),
        (("optimizer.clip=0",), "optimizer.clip: should be greater than 0, not 0"),
        (("optimizer.label_smoothing=1",), "optimizer.label_smoothing: should be less than 1, not 1"),
        (("trainer.cuda_graph=true",), "trainer.cuda_graph=true needs trainer=gpu"),
        (("trainer.trial_timeout=0",), "trainer.trial_timeout: should be greater than 0, not 0"),
    ],
)
def test_what_means_nothing_is_refused(
    compose: Callable[..., StudyConfig], words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        compose("trainer.epochs=20", *words).trial({}, seed=0)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "word",
    ["optimizer.schedule=cosine", "optimizer.warmup=0.5", "optimizer.clip=1", "optimizer.label_smoothing=0.1"],
)
def test_what_changes_the_result_makes_another_trial(compose: Callable[..., StudyConfig], word: str) -> None:
    assert trial_id(compose(word).trial({}, 0), "data") != trial_id(compose().trial({}, 0), "data")


def test_the_time_that_a_trial_may_take_does_not(compose: Callable[..., StudyConfig]) -> None:
    hurried = compose("trainer.trial_timeout=5").trial({}, 0)
    assert trial_id(hurried, "data") == trial_id(compose().trial({}, 0), "data")
