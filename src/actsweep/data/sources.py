"""Where images come from. `prepare` decodes a data set once and says where all trials of the machine find it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actsweep.data import cache
from actsweep.data.decode import image_shape, pixels
from actsweep.data.entry import (
    Contents,
    Notes,
    contents,
    mapped,
    order_intact,
    pixels_intact,
    write_order,
    write_pixels,
)
from actsweep.data.listing import Listing, list_images
from actsweep.data.splits import check_classes, cut
from actsweep.errors import DataError
from actsweep.settings import DataSettings

# Part of every key: to be raised when the same files would be stored in another way.
LAYOUT = 1


@dataclass(frozen=True)
class Source:
    """A decoded data set on this machine, small enough to be handed to every trial.

    Attributes:
        path: the folder of its entry in the cache.
        label: its name for reports: `digits`, or that of the root folder.
        fingerprint: 16 hex digits that stand for the names, sizes and pixels of its images, wherever its root is and
            whenever the files were written.
        classes: the names of its classes; a label is an index into them.
    """

    path: str
    label: str
    fingerprint: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class _Origin:
    """Before anything is decoded: a key that changes with the files, and how to fill an entry."""

    label: str
    key: str
    decode: Callable[[Path], None]


def prepare(settings: DataSettings) -> Source:
    """Decode a data set if that was not done before, and check that it can be split as asked.

    The files of an image folder are listed each time. What the cache holds is verified by size and checksum and rebuilt
    if it is damaged; of several processes at once, one decodes and the others wait.

    Raises:
        DataError: the data cannot be used as asked; the message names the option or the file.
    """
    origin = _digits() if settings.name == "digits" else _image_folder(str(settings.root))
    entry = cache.entry_folder(origin.key)
    with cache.locked(entry):
        found = contents(entry) or _decoded(origin, entry)
        cuts = cut(found.counts, settings)
        if not order_intact(entry, settings.seed):
            if not pixels_intact(entry):
                found = _decoded(origin, entry)
            write_order(entry, found, settings.seed)
    _, labels = mapped(entry, found, settings.seed)
    check_classes(labels.numpy(), found.classes, cuts)
    return Source(str(entry), origin.label, found.fingerprint, found.classes)


def _decoded(origin: _Origin, entry: Path) -> Contents:
    origin.decode(entry)
    found = contents(entry)
    if found is None:
        raise DataError(f"the cache entry {entry} was damaged while it was written; is another program using it?")
    return found


def _image_folder(root: str) -> _Origin:
    listing = list_images(root)
    key = cache.digest([LAYOUT, str(listing.root.resolve()), listing.classes, listing.files])
    return _Origin(listing.root.name, key[:24], lambda entry: _decode_folder(listing, entry))


def _decode_folder(listing: Listing, entry: Path) -> None:
    shape = image_shape(listing)
    names = cache.digest([(file.name, file.size) for file in listing.files])
    write_pixels(entry, pixels(listing, shape), Notes(listing.classes, listing.counts, shape, names))


def _digits() -> _Origin:
    return _Origin("digits", f"digits-{LAYOUT}", _decode_digits)


def _decode_digits(entry: Path) -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    by_class = np.argsort(labels, kind="stable")
    scaled = np.rint(images[by_class] * (255 / 16)).astype(np.uint8)
    counts = tuple(np.bincount(labels).tolist())
    notes = Notes(tuple(str(digit) for digit in range(10)), (counts,), (1, 8, 8), "digits")
    write_pixels(entry, [scaled], notes)
