"""What a data set is before it is stored: a name, a key that changes with its images, and a way to read them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actsweep.data.entry import DTYPES, Dtype, Notes
from actsweep.errors import DataError

# Part of every key: to be raised when the same images would be stored in another way.
LAYOUT = 2
MIN_SIDE = 8
CHUNK = 1024


class Images(NamedTuple):
    """Images as they are stored: what is known before they are decoded, and their pixels.

    Attributes:
        notes: classes, counts, shape and type.
        chunks: arrays of shape (n, channels, height, width), pool by pool, class by class; they may be decoded as they
            are asked for.
    """

    notes: Notes
    chunks: Iterable[NDArray[Any]]


@dataclass(frozen=True)
class Download:
    """What is not on this machine yet: the file that it will be, and its size in bytes."""

    file: Path
    size: int


def _nothing(entry: Path) -> None:
    """Of a data set whose files are its user's to bring."""


@dataclass(frozen=True)
class Origin:
    """Where a data set comes from; making one is cheap and reads no image.

    Attributes:
        label: the data set's name for reports.
        key: names its entry in the cache; another one whenever the images may be others.
        read: called once, with the entry's folder, which is locked, when the cache lacks the images. What it writes
            there it also removes, but for what is worth keeping.
        download: called with the entry's folder; what `read` would have to download first, None where all is there.
    """

    label: str
    key: str
    read: Callable[[Path], Images]
    download: Callable[[Path], Download | None] = _nothing


Pool = tuple[NDArray[Any], NDArray[Any]]


def array_images(pools: Sequence[Pool], classes: Sequence[str], name: str) -> Images:
    """The images of arrays, put in order by class.

    Args:
        pools: images and labels of the training pool, and of the test pool where the data set has one. Images: uint8,
            or float32, which is used as it is; shape (n, channels, height, width), at least 8 x 8, the same in all
            pools. Labels: integers, shape (n,), indices into `classes`.
        classes: the classes' names, at least two.
        name: the data set's, for messages; part of its fingerprint.

    Raises:
        DataError: the arrays are of another form, or hold values that are not finite.
    """
    if len(classes) < 2:
        raise DataError(f"data={name}: there are {len(classes)} classes; at least two are needed")
    for images, labels in pools:
        _check_images(images, pools[0][0], name)
        _check_labels(labels, len(images), len(classes), name)
    counts = tuple(tuple(np.bincount(labels, minlength=len(classes)).tolist()) for _, labels in pools)
    first = pools[0][0]
    dtype: Dtype = "uint8" if first.dtype == np.uint8 else "float32"
    return Images(Notes(tuple(classes), counts, first.shape[1:], name, dtype), _by_class(pools))


def _by_class(pools: Sequence[Pool]) -> Iterator[NDArray[Any]]:
    for images, labels in pools:
        order = np.argsort(labels, kind="stable")
        for start in range(0, len(order), CHUNK):
            yield images[order[start : start + CHUNK]]


def _check_images(images: NDArray[Any], first: NDArray[Any], name: str) -> None:
    if images.ndim != 4 or images.dtype.name not in DTYPES:
        raise DataError(
            f"data={name}: images must be {' or '.join(DTYPES)} of shape (n, channels, height, width), "
            f"not {images.dtype} of shape {images.shape}"
        )
    if (images.dtype, images.shape[1:]) != (first.dtype, first.shape[1:]):
        raise DataError(
            f"data={name}: test images are {images.dtype} of shape {images.shape[1:]}, but training images are "
            f"{first.dtype} of shape {first.shape[1:]}; all must be alike"
        )
    if min(images.shape[2:]) < MIN_SIDE:
        raise DataError(
            f"data={name}: images are {images.shape[3]} x {images.shape[2]} pixels; they must have at least "
            f"{MIN_SIDE} x {MIN_SIDE}, and the layout (n, channels, height, width), which {images.shape} is read as"
        )
    for start in range(0, len(images), CHUNK):
        finite = np.isfinite(images[start : start + CHUNK]).all(axis=(1, 2, 3))
        if not finite.all():
            raise DataError(f"data={name}: image {start + int(finite.argmin())} holds values that are not finite")


def _check_labels(labels: NDArray[Any], images: int, classes: int, name: str) -> None:
    if labels.shape != (images,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"data={name}: labels must be integers of shape ({images},), one for each image, "
            f"not {labels.dtype} of shape {labels.shape}"
        )
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        place = int(wrong.argmax())
        raise DataError(f"data={name}: label {labels[place]} of image {place} is not within 0 to {classes - 1}")
