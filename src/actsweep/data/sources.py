"""Each data set by its name. `prepare` decodes a data set once and says where all trials of the machine find it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actsweep.data import cache
from actsweep.data.entry import (
    Contents,
    contents,
    mapped,
    order_intact,
    pixels_intact,
    write_order,
    write_pixels,
)
from actsweep.data.images.cifar import cifar10
from actsweep.data.images.digits import digits
from actsweep.data.images.folder import image_folder
from actsweep.data.images.origin import Download, Origin
from actsweep.data.splits import check_classes, cut, stratified_order
from actsweep.errors import DataError
from actsweep.settings import DataSettings

SOURCES: Mapping[str, Callable[[DataSettings], Origin]] = {
    "digits": digits,
    "cifar10": cifar10,
    "image_folder": image_folder,
}
"""Each data set by its `data.name`."""


@dataclass(frozen=True)
class Source:
    """A decoded data set on this machine, small enough to be handed to every trial.

    Attributes:
        path: the folder of its entry in the cache.
        label: its name for reports: `digits`, `CIFAR-10`, or that of the root folder.
        fingerprint: 16 hex digits that stand for the names, sizes and pixels of its images, wherever its root is and
            whenever the files were written.
        classes: the names of its classes; a label is an index into them.
        image_shape: channels, height and width of an image.
    """

    path: str
    label: str
    fingerprint: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]


def prepare(settings: DataSettings, sources: Mapping[str, Callable[[DataSettings], Origin]] = SOURCES) -> Source:
    """Decode a data set if that was not done before, and check that it can be split as asked.

    The files of an image folder are listed each time. What the cache holds is verified by size and checksum and rebuilt
    if it is damaged; of several processes at once, one downloads and decodes, and the others wait.

    Args:
        settings: which data set, and its splits.
        sources: where each data set comes from, by its name; any other name is that of a plugin's.

    Raises:
        DataError: the data cannot be used as asked; the message names the option or the file.
    """
    origin = _origin(settings, sources)
    entry = cache.entry_folder(origin.key)
    with cache.locked(entry):
        found = contents(entry) or _decoded(origin, entry, settings)
        cuts = cut(found.counts, settings)
        if not order_intact(entry, settings.seed):
            if not pixels_intact(entry):
                found = _decoded(origin, entry, settings)
            write_order(entry, found, settings.seed)
    _, labels = mapped(entry, found, settings.seed)
    check_classes(labels, found.classes, cuts)
    return Source(str(entry), origin.label, found.fingerprint, found.classes, found.shape)


def download_ahead(settings: DataSettings) -> Download | None:
    """What `prepare` would download first; None where it needs nothing but this machine and the user's files.

    Raises:
        DataError: `data.root` is no folder, or cannot be written to.
    """
    origin = _origin(settings, SOURCES)
    entry = cache.entry_folder(origin.key)
    return None if contents(entry) else origin.download(entry)


def _origin(settings: DataSettings, sources: Mapping[str, Callable[[DataSettings], Origin]]) -> Origin:
    if settings.name in sources:
        return sources[settings.name](settings)
    from actsweep.data.images.plugin import plugin_origin  # it loads Lightning, which nothing else here needs

    return plugin_origin(settings)


def _decoded(origin: Origin, entry: Path, settings: DataSettings) -> Contents:
    images = origin.read(entry)
    # Before the images are decoded, which may take minutes.
    cuts = cut(images.notes.counts, settings)
    check_classes(stratified_order(images.notes.counts, settings.seed)[1], images.notes.classes, cuts)
    write_pixels(entry, images.chunks, images.notes)
    found = contents(entry)
    if found is None:
        raise DataError(f"the cache entry {entry} was damaged while it was written; is another program using it?")
    return found
