"""Arrays become images in order by class, or are refused with what is wrong about them."""

import numpy as np
import pytest

from actsweep.data.images.origin import array_images
from actsweep.errors import DataError


def pool(n=6, shape=(3, 8, 8), dtype=np.uint8, classes=2):
    images = np.random.default_rng(n).integers(0, 256, (n, *shape)).astype(dtype)
    return images, np.arange(n) % classes


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_come_pool_by_pool_and_class_by_class(dtype):
    train, test = pool(2500, dtype=dtype), pool(4, dtype=dtype)
    notes, chunks = array_images([train, test], ["even", "odd"], "mine")
    stored = np.concatenate(list(chunks))
    expected = [images[labels == label] for images, labels in (train, test) for label in (0, 1)]
    assert np.array_equal(stored, np.concatenate(expected))
    assert stored.dtype == dtype
    assert (notes.counts, notes.shape, notes.dtype) == (((1250, 1250), (2, 2)), (3, 8, 8), np.dtype(dtype).name)
    assert notes.bytes == stored.nbytes


@pytest.mark.parametrize(
    ("pools", "message"),
    [
        ([pool(dtype=np.float64)], r"must be uint8 or float32 of shape .* not float64 of shape \(6, 3, 8, 8\)"),
        ([pool(shape=(8, 8))], r"not uint8 of shape \(6, 8, 8\)"),
        (
            [pool(), pool(shape=(1, 8, 8))],
            r"test images are uint8 of shape \(1, 8, 8\), but training images .*\(3, 8, 8\)",
        ),
        ([pool(), pool(dtype=np.float32)], r"test images are float32 .*but training images are uint8"),
        ([pool(shape=(3, 7, 9))], r"9 x 7 pixels; they must have at least 8 x 8"),
        (
            [pool(shape=(8, 8, 1))],
            r"1 x 8 pixels; .* the layout \(n, channels, height, width\), which \(\d+, 8, 8, 1\) is",
        ),
        ([(changed(pool(dtype=np.float32)[0], (4, 2, 0, 0), np.nan), pool()[1])], r"image 4 holds values that are not"),
        ([(pool()[0], np.arange(5) % 2)], r"labels must be integers of shape \(6,\).* not int64 of shape \(5,\)"),
        ([(pool()[0], np.zeros(6))], r"not float64 of shape \(6,\)"),
        ([(pool()[0], changed(pool()[1], 3, 2))], r"label 2 of image 3 is not within 0 to 1"),
        ([(pool()[0], changed(pool()[1], 5, -1))], r"label -1 of image 5"),
    ],
)
def test_arrays_of_another_form_are_refused(pools, message):
    with pytest.raises(DataError, match=rf"^data=mine: .*{message}"):
        array_images(pools, ["even", "odd"], "mine")


def test_one_class_is_refused():
    with pytest.raises(DataError, match=r"data=mine: there are 1 classes; at least two"):
        array_images([pool(classes=1)], ["only"], "mine")
