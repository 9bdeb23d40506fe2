import copy
import itertools
import math

import pytest
import pytorch_lightning as pl
import torch
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from actsweep.errors import RequestError
from actsweep.model import evaluate, probe

STEPS, STEPS_PER_EPOCH, LR = 40, 4, 0.1
pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")


def rates(classifier, steps=STEPS, steps_per_epoch=STEPS_PER_EPOCH, **settings):
    """The learning rate of each step."""
    module = classifier(optimizer={"name": "sgd", "lr": LR, **settings})
    optimizer, schedule = module.optimizer_and_schedule(steps, steps_per_epoch)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if schedule is not None:
            schedule.step()
    return found


def test_without_a_schedule_the_learning_rate_stays(classifier):
    assert rates(classifier) == [LR] * STEPS
    assert classifier().optimizer_and_schedule(STEPS, STEPS_PER_EPOCH)[1] is None


def test_a_cosine_falls_from_the_learning_rate_to_nothing(classifier):
    expected = [LR * (1 + math.cos(math.pi * step / STEPS)) / 2 for step in range(STEPS)]
    assert rates(classifier, schedule="cosine") == pytest.approx(expected, rel=1e-9)


def test_steps_come_after_whole_epochs(classifier):
    found = rates(classifier, schedule="step", step_epochs=3, gamma=0.5)
    assert found == pytest.approx([LR * 0.5 ** (step // (3 * STEPS_PER_EPOCH)) for step in range(STEPS)])


@pytest.mark.parametrize("settings", [{}, {"schedule": "cosine"}, {"schedule": "step", "step_epochs": 2, "gamma": 0.1}])
def test_a_warm_up_rises_in_a_line_to_the_schedule_underneath(classifier, settings):
    cold, warm = rates(classifier, **settings), rates(classifier, warmup=2.5, **settings)
    assert warm == pytest.approx([rate * min(1, (step + 1) / 10) for step, rate in enumerate(cold)])


def test_a_warm_up_of_less_than_two_steps_is_none(classifier):
    assert rates(classifier, warmup=0.3) == [LR] * STEPS


def test_one_cycle_is_that_of_torch_with_the_momentum_left_alone(classifier):
    module = classifier(optimizer={"name": "sgd", "lr": LR, "schedule": "one_cycle", "momentum": 0.7})
    optimizer, schedule = module.optimizer_and_schedule(STEPS, STEPS_PER_EPOCH)
    reference = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    expected = OneCycleLR(reference, max_lr=LR, total_steps=STEPS, cycle_momentum=False)
    for _ in range(STEPS):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(reference.param_groups[0]["lr"])
        assert optimizer.param_groups[0]["momentum"] == 0.7
        for part in (optimizer, reference, schedule, expected):
            part.step()


def test_the_warm_up_of_one_cycle_is_its_rise(classifier):
    found = rates(classifier, schedule="one_cycle", warmup=5)
    assert found.index(max(found)) == 5 * STEPS_PER_EPOCH - 1
    assert max(found) == pytest.approx(LR)
    assert found[0] == pytest.approx(LR / 25)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 10, 20])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0, 30.0])
@pytest.mark.parametrize("schedule", ["none", "cosine", "one_cycle", "step"])
def test_the_shortest_trainings_have_their_schedules_too(classifier, schedule, warmup, steps):
    of_step = {"step_epochs": 1, "gamma": 0.5} if schedule == "step" else {}
    found = rates(classifier, steps=steps, steps_per_epoch=1, schedule=schedule, warmup=warmup, **of_step)
    assert all(0 < rate <= LR * (1 + 1e-9) for rate in found)


class Endless(IterableDataset):
    """Images without a number of them."""

    def __iter__(self):
        return ((torch.randn(1, 8, 8), label % 10) for label in itertools.count())


def fitted(module, images=None, **changes):
    # As many images in each batch, so that the mean over a batch has one meaning.
    images = images or TensorDataset(torch.randn(32, 1, 8, 8), torch.arange(32) % 10)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    stock = pl.Trainer(**{"accelerator": "cpu", "max_epochs": 3, "enable_checkpointing": False, **quiet, **changes})
    stock.fit(module, DataLoader(images, batch_size=8))
    return stock


class Rates(pl.Callback):
    """Keeps the learning rate of each batch."""

    def __init__(self):
        self.found = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.found.append(trainer.optimizers[0].param_groups[0]["lr"])


def test_a_stock_trainer_steps_the_schedule_after_each_training_step(classifier):
    stock = fitted(classifier(optimizer={"schedule": "cosine", "warmup": 1}))
    (config,) = stock.lr_scheduler_configs
    assert (config.interval, stock.global_step) == ("step", 12)
    assert stock.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


class EndsAfter(pl.Callback):
    """Ends a training that has no end of its own."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch + 1 == self.epochs


@pytest.mark.parametrize("accumulated", [2, 3])  # of four batches an epoch: two steps of the optimizer either way
def test_where_gradients_are_accumulated_the_optimizers_steps_count(classifier, accumulated):
    module = classifier(optimizer={"name": "sgd", "lr": LR, "schedule": "step", "step_epochs": 1, "gamma": 0.5})
    seen = Rates()
    fitted(module, accumulate_grad_batches=accumulated, callbacks=[seen])
    assert seen.found == pytest.approx([LR] * 4 + [LR / 2] * 4 + [LR / 4] * 4)


@pytest.mark.parametrize("settings", [{}, {"warmup": 1.5}, {"schedule": "step", "step_epochs": 1, "gamma": 0.5}])
def test_what_is_not_as_long_as_the_training_may_go_on_without_end(classifier, settings):
    stock = fitted(classifier(optimizer=settings), max_epochs=-1, callbacks=[EndsAfter(5)])
    assert stock.global_step == 20


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_the_length_of_a_training_may_be_given_in_steps(classifier, schedule):
    seen = Rates()
    module = classifier(optimizer={"name": "sgd", "lr": LR, "schedule": schedule})
    fitted(module, Endless(), max_epochs=-1, max_steps=7, callbacks=[seen])
    assert seen.found == pytest.approx(rates(classifier, steps=7, schedule=schedule))


@pytest.mark.parametrize(
    ("settings", "images", "epochs", "message"),
    [
        ({"schedule": "cosine"}, None, -1, "optimizer.schedule=cosine is as long as the training"),
        ({"schedule": "one_cycle"}, Endless(), 3, "optimizer.schedule=one_cycle is as long as the training"),
        ({"warmup": 1.0}, Endless(), 3, "optimizer.warmup and optimizer.step_epochs count epochs"),
        ({"schedule": "step", "step_epochs": 1, "gamma": 0.5}, Endless(), 3, "optimizer.step_epochs count epochs"),
    ],
)
def test_a_schedule_whose_length_is_not_known_is_refused(classifier, settings, images, epochs, message):
    with pytest.raises(RequestError, match=message):
        fitted(classifier(optimizer=settings), images, max_epochs=epochs)


def test_gradients_are_scaled_down_to_the_largest_norm(classifier):
    module = classifier(optimizer={"name": "sgd", "clip": 0.01, "momentum": 0.0, "lr": 1.0})
    before = copy.deepcopy(module.state_dict())
    batch = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
    optimizer = module.configure_optimizers()
    module.loss(batch).backward()
    module.configure_gradient_clipping(optimizer)
    optimizer.step()
    moved = sum((value - before[name]).square().sum().item() for name, value in module.state_dict().items())
    assert math.sqrt(moved) == pytest.approx(0.01, rel=1e-3)


def test_without_a_largest_norm_the_trainers_own_holds(classifier):
    one, two = classifier(optimizer={"clip": 0.01, "name": "sgd"}), classifier(optimizer={"name": "sgd"})
    torch.manual_seed(1)
    fitted(one)
    torch.manual_seed(1)
    fitted(two, gradient_clip_val=0.01)
    for ours, theirs in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_smoothing_is_in_the_training_loss_alone(classifier):
    smooth, plain = classifier(optimizer={"label_smoothing": 0.2}), classifier()
    images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
    logs = torch.log_softmax(plain(images), dim=1)
    expected = -(0.8 * logs[torch.arange(16), labels] + 0.2 * logs.mean(dim=1)).mean()
    torch.testing.assert_close(smooth.loss((images, labels)), expected)
    assert evaluate(smooth, [(images, labels)]) == evaluate(plain, [(images, labels)])


class Plain(pl.LightningModule):
    """Any module whose forward gives logits."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.Tanh())
        self.last = torch.nn.Linear(8, 10)

    def forward(self, images):
        return self.last(self.layers(images))


def test_a_module_that_names_no_activations_is_not_looked_into():
    seen = probe(Plain(), torch.randn(4, 1, 8, 8), torch.arange(4))
    assert (seen.grad_slope, seen.saturated, seen.dead, seen.grad_norms) == (None, None, None, ())


def test_a_module_that_names_its_activations_has_gradient_norms_and_no_shares():
    module = Plain()
    module.activations = [module.layers[2]]
    seen = probe(module, torch.randn(4, 1, 8, 8), torch.arange(4))
    assert len(seen.grad_norms) == 1
    assert (seen.saturated, seen.dead) == (None, None)
