"""The batched augmentation against a slow one, image by image."""

import numpy as np
import pytest
import torch

from actsweep.data.augment import flip_and_crop, padding


def one_by_one(images, flip, top, left):
    height, width = images.shape[2:]
    down, right = height // 8, width // 8
    out = []
    for image, mirrored, row, column in zip(images.numpy(), flip, top, left, strict=True):
        padded = np.pad(image, ((0, 0), (down, down), (right, right)))
        crop = padded[:, row : row + height, column : column + width]
        out.append(crop[:, :, ::-1] if mirrored else crop)
    return np.stack(out)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (3, 17, 40), (2, 28, 28)])
def test_equals_the_slow_one_for_every_flip_and_shift(shape):
    generator = torch.Generator().manual_seed(0)
    down, right = padding(shape[1]), padding(shape[2])
    choices = torch.cartesian_prod(torch.arange(2), torch.arange(2 * down + 1), torch.arange(2 * right + 1))
    flip, top, left = choices[:, 0].bool(), choices[:, 1], choices[:, 2]
    images = torch.randint(0, 256, (len(choices), *shape), dtype=torch.uint8, generator=generator)
    assert np.array_equal(flip_and_crop(images, flip, top, left).numpy(), one_by_one(images, flip, top, left))


def test_the_middle_without_a_flip_is_the_image_itself():
    images = torch.arange(2 * 3 * 64, dtype=torch.int64).remainder(256).to(torch.uint8).view(2, 3, 8, 8)
    ones = torch.ones(2, dtype=torch.int64)
    assert torch.equal(flip_and_crop(images, torch.zeros(2, dtype=torch.bool), ones, ones), images)


@pytest.mark.parametrize(("side", "pixels"), [(8, 1), (28, 3), (32, 4), (64, 8)])
def test_padding_is_an_eighth_of_the_side(side, pixels):
    assert padding(side) == pixels
