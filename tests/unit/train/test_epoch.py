"""The training steps of an epoch, without a Trainer."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch

from actsweep.data import Data, eval_batches, order_generator, training_batches
from actsweep.model import build_module, evaluate
from actsweep.settings import TrialConfig
from actsweep.train import clean_state, train
from actsweep.train.epoch import train_epoch, training_step

Trial = tuple[TrialConfig, Data]


def epochs_of(trial: Trial, stop_after: int = 10**6) -> tuple[list[int], torch.nn.Module]:
    """Steps taken in each epoch, and the module after all of them."""
    config, data = trial
    clean_state(config)
    module = build_module(config, data.image_shape, data.classes).train()
    batches = training_batches(config.data, data, torch.device("cpu"), order_generator(config.seed))
    optimizer, schedule = module.optimizer_and_schedule(len(batches) * config.trainer.epochs, len(batches))
    asked = iter(range(1, 10**6))
    step = training_step(module, optimizer, nullcontext)
    steps = [
        train_epoch(step, schedule, batches, lambda: next(asked) >= stop_after) for _ in range(config.trainer.epochs)
    ]
    return steps, module


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("optimizer=sgd", "optimizer.lr=0.05", "optimizer.schedule=one_cycle", "optimizer.clip=1.0"),
        ("optimizer=adamw", "optimizer.schedule=cosine", "optimizer.warmup=0.5", "data.augment=true"),
        ("optimizer.schedule=step", "optimizer.step_epochs=1", "optimizer.gamma=0.5", "optimizer.label_smoothing=0.1"),
    ],
)
def test_it_leaves_the_weights_that_a_trial_has(trial: Callable[..., Trial], words: tuple[str, ...]) -> None:
    ours = trial("trainer.epochs=2", *words)
    curve = train(*ours)
    _, module = epochs_of(ours)
    data = ours[1]
    tested = evaluate(module, eval_batches(data.test, 500, mean=data.mean, std=data.std, device=torch.device("cpu")))
    assert tested.loss == pytest.approx(curve.test_loss, rel=1e-5)


def test_it_ends_after_the_step_after_which_it_is_asked_to(trial: Callable[..., Trial]) -> None:
    steps, _ = epochs_of(trial("trainer.epochs=2"), stop_after=11)
    assert steps == [8, 3]


class Twice(torch.optim.SGD):
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        closure()
        return super().step(closure)


def test_an_optimizer_may_call_the_closure_as_often_as_it_likes(trial: Callable[..., Trial]) -> None:
    config, data = trial("data.batch_size=64")
    clean_state(config)
    module = build_module(config, data.image_shape, data.classes).train()
    calls = []
    own = module.loss
    module.loss = lambda batch: (calls.append(1), own(batch))[1]  # type: ignore[method-assign]
    batches = training_batches(config.data, data, torch.device("cpu"), order_generator(config.seed))
    optimizer = Twice(module.parameters(), lr=0.1)
    assert train_epoch(training_step(module, optimizer, nullcontext), None, batches, lambda: False) == 4
    assert len(calls) == 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("words", [(), ("data.augment=true", "optimizer=sgd", "optimizer.schedule=one_cycle")])
def test_it_never_waits_for_the_device(trial: Callable[..., Trial], words: tuple[str, ...]) -> None:
    config, data = trial(*words)
    clean_state(config)
    module = build_module(config, data.image_shape, data.classes).to("cuda").train()
    batches = training_batches(config.data, data, torch.device("cuda"), order_generator(config.seed))
    optimizer, schedule = module.optimizer_and_schedule(2 * len(batches), len(batches))
    step = training_step(module, optimizer, nullcontext)
    train_epoch(step, schedule, batches, lambda: False)  # what is set up once may wait
    torch.cuda.synchronize()
    epoch = list(batches)  # what an epoch draws is drawn on the host, before its first batch
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_epoch(step, schedule, epoch, lambda: False)
    finally:
        torch.cuda.set_sync_debug_mode("default")
