"""A trial's data for a stock Trainer; that this comes to the trial's weights is among the tests of training."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from actsweep.data import EVAL_BATCH, DataModule, eval_batches, load, order_generator, prepare, training_batches
from actsweep.errors import DataError
from actsweep.settings import DataSettings

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")
Ask = Callable[..., DataSettings]
Batch = tuple[Tensor, Tensor]
SIZES = {"train": 100, "val": 60, "test": 60, "batch_size": 32}


class Seen(pl.LightningModule):
    """A module that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.batches: dict[str, list[Batch]] = {"train": [], "val": [], "test": [], "predict": []}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.batches["train"].append(batch)
        return functional.cross_entropy(self.linear(batch[0].flatten(1)), batch[1])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.batches["val"].append(batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self.batches["test"].append(batch)

    def predict_step(self, batch: Batch, batch_idx: int) -> None:
        self.batches["predict"].append(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def stock(tmp_path: Path) -> Callable[..., pl.Trainer]:
    def build(**changes: Any) -> pl.Trainer:
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        kept = {"max_epochs": 2, "enable_checkpointing": False, "num_sanity_val_steps": 0, "default_root_dir": tmp_path}
        return pl.Trainer(**{"accelerator": "cpu", **quiet, **kept, **changes})

    return build


def same(ours: Iterable[Batch], theirs: Iterable[Batch]) -> bool:
    pairs = list(zip(ours, theirs, strict=True))
    return all(torch.equal(a, b) for pair in pairs for a, b in zip(*pair, strict=True))


@pytest.mark.parametrize("augment", [False, True])
def test_training_batches_are_those_of_the_trial_with_the_seed(
    ask: Ask, stock: Callable[..., pl.Trainer], augment: bool
) -> None:
    settings = ask(**SIZES, augment=augment)
    seen = Seen()
    stock().fit(seen, DataModule(settings, seed=3))
    data = load(prepare(settings), settings)
    batches = training_batches(settings, data, "cpu", order_generator(3))
    assert same(seen.batches["train"], [*batches, *batches])


def test_every_stage_has_its_split(ask: Ask, stock: Callable[..., pl.Trainer]) -> None:
    settings = ask(**SIZES)
    seen, batches, trainer = Seen(), DataModule(settings, seed=0), stock(max_epochs=1)
    trainer.fit(seen, batches)
    trainer.validate(seen, batches, verbose=False)
    trainer.test(seen, batches, verbose=False)
    trainer.predict(seen, batches)
    data = load(prepare(settings), settings)
    val, test = (list(eval_batches(split, EVAL_BATCH, mean=data.mean, std=data.std)) for split in (data.val, data.test))
    assert same(seen.batches["val"], [*val, *val])  # in the fit, and by themselves
    assert same(seen.batches["test"], test)
    assert same(seen.batches["predict"], test)


def test_the_length_of_an_evaluation_is_known(ask: Ask) -> None:
    batches = DataModule(ask(val=EVAL_BATCH + 1, test=EVAL_BATCH), seed=0)
    assert [len(loader) for loader in (batches.val_dataloader(), batches.test_dataloader())] == [2, 1]
    assert [len(list(loader)) for loader in (batches.val_dataloader(), batches.test_dataloader())] == [2, 1]


def test_each_fit_has_the_same_batches(ask: Ask, stock: Callable[..., pl.Trainer]) -> None:
    first, second, batches = Seen(), Seen(), DataModule(ask(**SIZES), seed=3)
    for seen in (first, second):
        stock().fit(seen, batches)
    assert same(first.batches["train"], second.batches["train"])


def test_a_fit_that_goes_on_has_the_batches_of_one_that_was_not_interrupted(
    ask: Ask, stock: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    settings = ask(**SIZES, augment=True)
    whole, begun, resumed = Seen(), Seen(), Seen()
    stock(max_epochs=3).fit(whole, DataModule(settings, seed=3))
    trainer = stock(max_epochs=1)
    trainer.fit(begun, DataModule(settings, seed=3))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    stock(max_epochs=3).fit(resumed, DataModule(settings, seed=3), ckpt_path=tmp_path / "a.ckpt", weights_only=True)
    assert same(whole.batches["train"], begun.batches["train"] + resumed.batches["train"])


def test_what_a_classifier_must_be_told_is_known_before_any_trainer(ask: Ask) -> None:
    loaded = DataModule(ask(), seed=0).loaded
    assert (loaded.image_shape, loaded.classes) == ((1, 8, 8), 10)


def test_it_can_be_made_again_from_its_hyperparameters(ask: Ask) -> None:
    settings = ask(**SIZES)
    batches = DataModule(settings, seed=3)
    assert batches.hparams == {"data": settings.model_dump(), "seed": 3}
    assert same(DataModule(**batches.hparams).train_dataloader(), batches.train_dataloader())


def test_data_that_cannot_be_had_is_refused_before_a_step(ask: Ask, stock: Callable[..., pl.Trainer]) -> None:
    with pytest.raises(DataError, match=r"data\.train"):
        stock().fit(Seen(), DataModule(ask(train=10**6), seed=0))
