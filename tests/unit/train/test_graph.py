"""Steps that are captured once and replayed: what a capture repeats is, on a CPU, the call itself."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from actsweep.data import Data, order_generator, training_batches
from actsweep.model import Classifier, build_module
from actsweep.settings import TrialConfig
from actsweep.train import clean_state, train
from actsweep.train.epoch import train_epoch, training_step
from actsweep.train.graph import WARM_UP_STEPS, Capture, CapturedStep

Trial = tuple[TrialConfig, Data]
WORDS = [
    ("optimizer.schedule=cosine", "optimizer.clip=1.0"),
    ("optimizer=adamw", "optimizer.warmup=1.9"),
    ("optimizer=sgd", "optimizer.momentum=0.9", "data.augment=true", "model.norm=batch"),
]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Trained:
    """A trial of two epochs of five steps, the last of them on a smaller batch, with captured steps."""

    def __init__(self, trial: Callable[..., Trial], capture: Capture | None, *words: str) -> None:
        config, data = trial("data.batch_size=60", "trainer.epochs=2", *words)
        clean_state(config)
        self.said: list[str] = []
        self.module: Classifier = build_module(config, data.image_shape, data.classes).train()
        batches = training_batches(config.data, data, torch.device("cpu"), order_generator(config.seed))
        self.optimizer, schedule = self.module.optimizer_and_schedule(10, 5)
        step = training_step(self.module, self.optimizer, nullcontext)
        if isinstance(capture, Repeated):
            capture.optimizer = self.optimizer
        if capture is not None:
            step = CapturedStep(step, self.optimizer, self.said.append, capture)
        for _ in range(2):
            assert train_epoch(step, schedule, batches, lambda: False) == 5

    @property
    def weights(self) -> list[Tensor]:
        return list(self.module.state_dict().values())


def same(a: list[Tensor], b: list[Tensor], tolerance: float = 0.0) -> bool:
    return all(torch.allclose(one, other, rtol=0, atol=tolerance) for one, other in zip(a, b, strict=True))


class Repeated:
    """What a graph does, as far as a CPU can: what was captured is done again, with the rates where it found them."""

    def __init__(self) -> None:
        self.captures = 0
        self.rates: list[float] = []
        self.optimizer: Optimizer

    def __call__(self, call: Callable[[], None]) -> Callable[[], None]:
        self.captures += 1
        (group,) = self.optimizer.param_groups
        rate = group["lr"]
        assert isinstance(rate, Tensor) == ("capturable" in group)

        def replay() -> None:
            plain, group["lr"] = group["lr"], rate
            self.rates.append(float(rate))
            assert self.rates[-1] == pytest.approx(plain)
            call()
            group["lr"] = plain

        return replay


@pytest.mark.parametrize("words", WORDS)
def test_replayed_steps_leave_the_weights_of_steps_taken_as_they_come(
    trial: Callable[..., Trial], words: tuple[str, ...]
) -> None:
    """But for the learning rate, which a replay finds in single precision."""
    ours, plain = Trained(trial, graph := Repeated(), *words), Trained(trial, None, *words)
    assert ours.said == []
    assert graph.captures == 1
    assert len(graph.rates) == 8 - WARM_UP_STEPS
    assert len(set(graph.rates)) == (1 if "optimizer=sgd" in words else len(graph.rates))
    assert same(ours.weights, plain.weights, 1e-6)


def test_a_capture_that_fails_is_told_once_and_changes_nothing(trial: Callable[..., Trial]) -> None:
    def capture(call: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    ours, plain = Trained(trial, capture, *WORDS[0]), Trained(trial, None, *WORDS[0])
    assert ours.said == [
        "trainer.cuda_graph=true: a step is not captured, and is taken as without it: "
        "operation not permitted when stream is capturing"
    ]
    assert same(ours.weights, plain.weights)


def test_a_step_that_draws_random_numbers_is_not_captured(trial: Callable[..., Trial]) -> None:
    ours = Trained(trial, pytest.fail, "model.dropout=0.5")
    assert len(ours.said) == 1
    assert "it draws random numbers" in ours.said[0]
    assert same(ours.weights, Trained(trial, None, "model.dropout=0.5").weights)


def test_a_rate_that_changes_where_it_cannot_be_handed_on_is_not_replayed(trial: Callable[..., Trial]) -> None:
    words = ("optimizer=sgd", "optimizer.schedule=one_cycle")
    ours = Trained(trial, graph := Repeated(), *words)
    assert ours.said == [
        "trainer.cuda_graph=true: a step is not captured, and is taken as without it: "
        "the learning rate changes, which SGD looks up on the host"
    ]
    assert len(graph.rates) == 1
    assert same(ours.weights, Trained(trial, None, *words).weights)


def test_an_optimizer_that_is_not_known_is_not_captured(
    trial: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actsweep.train.graph._CAPTURABLE", ())
    ours = Trained(trial, pytest.fail, *WORDS[2])
    assert ours.said == [
        "trainer.cuda_graph=true: a step is not captured, and is taken as without it: "
        "what SGD does on the host is not known"
    ]


@needs_gpu
@pytest.mark.parametrize("words", WORDS)
def test_on_a_gpu_a_graph_has_the_curve_of_steps_taken_as_they_come(
    trial: Callable[..., Trial], words: tuple[str, ...]
) -> None:
    config, data = trial("trainer=gpu", "trainer.epochs=3", "trainer.precision=fp32", *words)
    graphed = config.model_copy(update={"trainer": config.trainer.model_copy(update={"cuda_graph": True})})
    plain, ours = train(config, data), train(graphed, data)
    assert ours.val_loss == pytest.approx(plain.val_loss, rel=1e-3)
