"""A trial's data for any Trainer of Lightning's."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from actsweep.data.batches import EVAL_BATCH, Batches, eval_batches, order_generator, training_batches
from actsweep.data.resident import Data, Split, load
from actsweep.data.sources import prepare
from actsweep.settings import DataSettings


class DataModule(pl.LightningDataModule):
    """The batches that a trial sees, of images (n, channels, height, width), float32, with labels (n,), int64.

    All are normalised. Those to train on come in a fresh random order each epoch, augmented where `data.augment` is
    set, and are the same in each `fit`: those of the trial with that seed. Those to validate, test and predict are in a
    fixed order; predicted is the test split. Each process of a distributed Trainer gets all of them.

    The Trainer's checkpoints hold the state of the order, so that a `fit` that goes on from the end of an epoch has the
    batches of one that was never interrupted.

    Args:
        data: the data set, its splits and its batches, such as `actsweep.compose("data=digits").data`; a mapping of all
            these settings will do.
        seed: of the trial. The splits depend on `data.seed` alone.

    Raises:
        pydantic.ValidationError: a mapping lacks a setting, or holds one that is not valid.
    """

    def __init__(self, data: DataSettings | Mapping[str, Any], seed: int) -> None:
        super().__init__()
        self._settings = DataSettings.model_validate(data)
        # Plain values only, as in the module's: a checkpoint must load without unpickling any class of ours.
        self.save_hyperparameters({"data": self._settings.model_dump(), "seed": seed})
        self._seed = seed
        self._order = order_generator(seed)
        self._loaded: Data | None = None

    @property
    def loaded(self) -> Data:
        """The splits, decoded and loaded when they are first asked for, with `image_shape` and `classes`.

        Raises:
            DataError: the data cannot be used as asked; the message names the option or the file.
        """
        if self._loaded is None:
            self._loaded = load(prepare(self._settings), self._settings)
        return self._loaded

    def prepare_data(self) -> None:
        """Decode the data set, if that was not done before; the Trainer asks one process of each machine."""
        if self._loaded is None:
            prepare(self._settings)

    def setup(self, stage: str) -> None:
        """Load the splits; to fit, begin the order of the training batches anew."""
        self._loaded = self.loaded
        if stage == "fit":
            self._order = order_generator(self._seed)

    def train_dataloader(self) -> Batches:
        """The training split, shuffled and augmented."""
        return training_batches(self._settings, self.loaded, self._device, self._order)

    def val_dataloader(self) -> "EvalBatches":
        """The validation split."""
        return EvalBatches(self.loaded, self.loaded.val, self._device)

    def test_dataloader(self) -> "EvalBatches":
        """The test split."""
        return EvalBatches(self.loaded, self.loaded.test, self._device)

    def predict_dataloader(self) -> "EvalBatches":
        """The test split, with its labels."""
        return self.test_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """Where the order of training batches is."""
        return {"order": self._order.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the order from where it was."""
        self._order.set_state(state_dict["order"])

    @property
    def _device(self) -> torch.device:
        """Where batches are made: normalised on another device, they would be moved one by one."""
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")


class EvalBatches:
    """A split in batches as they are evaluated, as often as it is iterated over; see `eval_batches`.

    A DataLoader would draw from torch's global generator each time, which the trial's dropout draws from.
    """

    def __init__(self, data: Data, split: Split, device: torch.device) -> None:
        self._data = data
        self._split = split
        self._device = device

    def __len__(self) -> int:
        """Batches in one pass."""
        return math.ceil(len(self._split.labels) / EVAL_BATCH)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass."""
        data = self._data
        return eval_batches(self._split, EVAL_BATCH, mean=data.mean, std=data.std, device=self._device)
