from collections.abc import Callable

import pytest
import torch

from actsweep.data import load, prepare
from actsweep.model import Classifier
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.train.cost import BLOCK_STEPS, MAX_ROUNDS, MIN_ROUNDS, step_costs


@pytest.fixture
def configs(compose: Callable[..., StudyConfig]) -> Callable[..., list[TrialConfig]]:
    def build(*arms: dict[str, object]) -> list[TrialConfig]:
        config = compose("experiment=smoke", "model.width=8")
        return [config.trial(arm, seed=1) for arm in arms]

    return build


def test_a_network_of_four_times_the_work_costs_more(configs: Callable[..., list[TrialConfig]]) -> None:
    small, large = configs({"model.width": 8}, {"model.width": 64})
    data = load(prepare(small.data), small.data)
    first, second = step_costs([small, large], data)
    assert second > 2 * first > 0


def test_arms_take_turns_and_each_gets_as_many_steps(
    configs: Callable[..., list[TrialConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks A B B A: never more than two blocks of an arm in a row, and no arm measured more often."""
    order: list[str] = []
    loss = Classifier.loss

    def noted(self: Classifier, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        order.append(self.architecture.activation)
        return loss(self, batch)

    monkeypatch.setattr(Classifier, "loss", noted)
    arms = configs({"model.activation": "relu"}, {"model.activation": "tanh"})
    step_costs(arms, load(prepare(arms[0].data), arms[0].data))
    measured = order[-(order.count("relu") + order.count("tanh") - 6) :]
    blocks = [set(measured[i : i + BLOCK_STEPS]) for i in range(0, len(measured), BLOCK_STEPS)]
    assert all(len(block) == 1 for block in blocks)
    assert blocks[:4] == [{"relu"}, {"tanh"}, {"tanh"}, {"relu"}]
    assert order.count("relu") == order.count("tanh")
    assert 2 * MIN_ROUNDS <= len(blocks) // 2 <= 2 * MAX_ROUNDS


def test_a_step_is_measured_with_its_clipping_and_its_schedule_however_short_the_training(
    configs: Callable[..., list[TrialConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clipped: list[int] = []
    clip = Classifier.configure_gradient_clipping

    def noted(self: Classifier, optimizer: torch.optim.Optimizer) -> None:
        clipped.append(1)
        clip(self, optimizer)

    monkeypatch.setattr(Classifier, "configure_gradient_clipping", noted)
    arms = configs(
        {"optimizer.schedule": "one_cycle", "optimizer.clip": 0.1, "trainer.epochs": 1},
        {"optimizer.schedule": "cosine", "optimizer.warmup": 0.5, "trainer.epochs": 1},
    )
    assert min(step_costs(arms, load(prepare(arms[0].data), arms[0].data))) > 0
    assert len(clipped) >= 2 * 2 * MIN_ROUNDS * BLOCK_STEPS
