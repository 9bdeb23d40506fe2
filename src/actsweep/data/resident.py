"""A data set as a trial sees it: its splits in memory, as they are stored."""

from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actsweep.data.entry import contents, mapped
from actsweep.data.sources import Source
from actsweep.data.splits import check_classes, cut
from actsweep.errors import DataError
from actsweep.settings import DataSettings

CHUNK = 512


@dataclass(frozen=True)
class Split:
    """Images of one split, in a fixed order of which every beginning holds each class in proportion.

    Attributes:
        images: uint8, which stands for 0 to 1, or float32, used as it is; shape (n, channels, height, width).
        labels: int64, shape (n,).
    """

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> "Split":
        """The split on a device; the same tensors where they are there already."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Data:
    """A data set for one trial.

    Attributes:
        train: training split.
        probe: a fixed part of the training split on which training accuracy is measured.
        val: validation split.
        test: test split.
        mean: per channel, over the training split, of bytes as 0 to 1 and of floats as they are; float64,
            shape (channels,).
        std: likewise, with n in the denominator; 1 for a channel that never changes.
        classes: how many classes there are.
        label: the data set's name for reports.
        fingerprint: see `Source`.
    """

    train: Split
    probe: Split
    val: Split
    test: Split
    mean: Tensor
    std: Tensor
    classes: int
    label: str
    fingerprint: str

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    def to(self, device: torch.device | str) -> "Data":
        """The data with all splits on a device; mean and std stay on the CPU."""
        splits = {name: getattr(self, name).to(device) for name in ("train", "probe", "val", "test")}
        return replace(self, **splits)


def load(source: Source, settings: DataSettings) -> Data:
    """The splits of a prepared data set, mapped from the cache: nothing is copied but what is used.

    Args:
        source: what `prepare` returned, on this machine.
        settings: the trial's; sizes and seed may differ from those that `prepare` was given.

    Raises:
        DataError: the cache entry is missing, damaged or of other data, or the splits do not fit.
    """
    entry = Path(source.path)
    found = contents(entry)
    if found is None or found.fingerprint != source.fingerprint:
        raise DataError(f"the cache entry {entry} is missing, damaged or of other data; start again, which rebuilds it")
    cuts = cut(found.counts, settings)
    stored = mapped(entry, found, settings.seed)
    check_classes(stored[1], found.classes, cuts)
    images, labels = (torch.from_numpy(array) for array in stored)
    train, probe, val, test = (Split(images[part], labels[part]) for part in cuts)
    mean, std = _moments(train.images)
    return Data(train, probe, val, test, mean, std, len(found.classes), source.label, found.fingerprint)


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per channel: the same on every machine, whatever its number of threads."""
    mean, variance = _byte_moments(images) if images.dtype == torch.uint8 else _float_moments(images)
    return mean, torch.where(variance > 0, variance.sqrt(), 1.0)


def _byte_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance per channel of bytes / 255, from exact integer sums."""
    channels = images.shape[1]
    sums, squares = (torch.zeros(channels, dtype=torch.float64) for _ in range(2))
    for chunk in torch.split(images, CHUNK):
        values = chunk.double()
        sums += values.sum((0, 2, 3))
        squares += values.square_().sum((0, 2, 3))
    n = images[:, 0].numel()
    exact = [(int(total), int(square)) for total, square in zip(sums.tolist(), squares.tolist(), strict=True)]
    variances = [(n * square - total * total) / (n * n) for total, square in exact]
    mean = torch.tensor([total / n / 255 for total, _ in exact], dtype=torch.float64)
    return mean, torch.tensor(variances, dtype=torch.float64) / 255**2


def _float_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance per channel, in two passes and by NumPy, whose sums depend on no number of threads."""
    chunks = [chunk.numpy() for chunk in torch.split(images, CHUNK)]
    n = images[:, 0].numel()
    mean = reduce(np.add, (chunk.sum((0, 2, 3), dtype=np.float64) for chunk in chunks)) / n
    centred = (np.square(chunk - mean[:, None, None]) for chunk in chunks)
    variance = reduce(np.add, (chunk.sum((0, 2, 3)) for chunk in centred)) / n
    return torch.from_numpy(mean), torch.from_numpy(variance)
