"""Minibatches from resident images: gathered, augmented and normalised a whole batch at a time."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from actsweep.data.augment import flip_and_crop, padding
from actsweep.data.resident import Data, Split
from actsweep.settings import DataSettings

EVAL_BATCH = 500  # images in a batch of an evaluation
_ORDER_STREAM = 1


class Batches:
    """Training batches; one pass over this is one epoch, each in a fresh random order.

    All that an epoch draws (order, flips, shifts) is drawn before its first batch, from the trial's own generator, so
    that it depends neither on the device nor on the batch size, nor on how much of the epoch is used, nor on iterators
    that are made and not used, as Lightning's Trainer does. The last batch holds what is left and may be smaller.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        *,
        mean: Tensor,
        std: Tensor,
        augment: bool,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> None:
        """Serve a split.

        Args:
            split: what to train on; copied to the device here, once, unless it is there already.
            batch_size: images in a batch, at least 1.
            mean: per channel, of bytes as 0 to 1 and of floats as they are, shape (channels,).
            std: likewise, not 0.
            augment: whether images are mirrored (every other one) and shifted by up to an eighth of their side (4 of 32
                pixels) either way, at random, what is uncovered being black.
            generator: the trial's own; on any device.
            device: where the batches are wanted.
        """
        self._split = split.to(device)
        self._batch_size = batch_size
        self._scale, self._shift = _affine(mean, std, self._split.images)
        self._augment = augment
        self._generator = generator

    def __len__(self) -> int:
        """Batches in an epoch, the last one included."""
        return math.ceil(len(self._split.labels) / self._batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch of images (n, channels, height, width), float32 and normalised, with labels (n,), int64."""
        yield from self._epoch(self._drawn_order(), self._drawn_views() if self._augment else None)

    def _epoch(self, order: Tensor, views: tuple[Tensor, Tensor, Tensor] | None) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(order), self._batch_size):
            part = slice(start, start + self._batch_size)
            images = self._split.images.index_select(0, order[part])
            if views is not None:
                flip, top, left = views
                images = flip_and_crop(images, flip[part], top[part], left[part])
            yield _normalised(images, self._scale, self._shift), self._split.labels.index_select(0, order[part])

    def _drawn_order(self) -> Tensor:
        n, source = len(self._split.labels), self._generator
        return torch.randperm(n, generator=source, device=source.device).to(self._split.images.device)

    def _drawn_views(self) -> tuple[Tensor, Tensor, Tensor]:
        n, _, height, width = self._split.images.shape
        flip, top, left = (self._drawn(n, values) for values in (2, 2 * padding(height) + 1, 2 * padding(width) + 1))
        return flip.bool(), top, left

    def _drawn(self, n: int, values: int) -> Tensor:
        source = self._generator
        drawn = torch.randint(values, (n,), generator=source, device=source.device)
        return drawn.to(self._split.images.device)


def order_generator(seed: int) -> torch.Generator:
    """The generator of data order and augmentation of the trial with a seed, which no other draw disturbs."""
    sequence = np.random.SeedSequence(seed, spawn_key=(_ORDER_STREAM,))
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))


def training_batches(settings: DataSettings, data: Data, device: torch.device | str, order: torch.Generator) -> Batches:
    """A trial's minibatches, drawn from `order`; see `order_generator`."""
    return Batches(
        data.train,
        settings.batch_size,
        mean=data.mean,
        std=data.std,
        augment=settings.augment,
        generator=order,
        device=device,
    )


def eval_batches(
    split: Split,
    batch_size: int,
    *,
    mean: Tensor,
    std: Tensor,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[Tensor, Tensor]]:
    """A split in its own order, without augmentation, as normalised batches; arguments as for `Batches`."""
    scale, shift = (each.to(device) for each in _affine(mean, std, split.images))
    for images, labels in zip(
        torch.split(split.images, batch_size), torch.split(split.labels, batch_size), strict=True
    ):
        yield _normalised(images.to(device), scale, shift), labels.to(device)


def _affine(mean: Tensor, std: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Factor and summand, shape (1, channels, 1, 1), that take x to (x - mean) / std; a byte is x = byte / 255."""
    one = 255 if images.dtype == torch.uint8 else 1
    scale, shift = 1 / (one * std.double()), -mean.double() / std.double()
    return scale.float().view(1, -1, 1, 1).to(images.device), shift.float().view(1, -1, 1, 1).to(images.device)


def _normalised(images: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    # Floats would otherwise be normalised in place, and with them the split.
    return images.to(torch.float32, copy=True).mul_(scale).add_(shift)
