"""One entry of the cache: the decoded images in listing order, and, for each `data.seed`, labels and images in the
order of the splits, so that every split is a stretch of one file that all trials of a machine have mapped.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import psutil
from numpy.typing import NDArray

from actsweep.data import cache
from actsweep.data.splits import Counts, stratified_order
from actsweep.errors import DataError

CHUNK = 1024
LABEL_BYTES = 8
Dtype = Literal["uint8", "float32"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
"""What images may be stored as: bytes, which stand for 0 to 1, or floats, which are used as they are."""


@dataclass(frozen=True)
class Contents:
    """What an entry holds.

    Attributes:
        classes: the classes' names; a label is an index into them.
        counts: images per pool and class.
        shape: channels, height and width of one image.
        dtype: the type of a pixel.
        fingerprint: identity of names, sizes and pixels, wherever and whenever the files were written.
    """

    classes: tuple[str, ...]
    counts: Counts
    shape: tuple[int, int, int]
    dtype: Dtype
    fingerprint: str

    @property
    def images(self) -> int:
        """How many images there are in all pools."""
        return sum(sum(pool) for pool in self.counts)


@dataclass(frozen=True)
class Notes:
    """What is kept beside the pixels; `names` stands for the files' names and sizes."""

    classes: tuple[str, ...]
    counts: Counts
    shape: tuple[int, int, int]
    names: str
    dtype: Dtype

    @property
    def bytes(self) -> int:
        """How many bytes all images take."""
        images = sum(sum(pool) for pool in self.counts)
        return images * int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


def write_pixels(entry: Path, chunks: Iterable[NDArray[Any]], notes: Notes) -> None:
    """Store decoded images, shape (n, channels, height, width), in listing order. The entry must be locked.

    Raises:
        DataError: the disk, or this machine's memory, cannot hold them.
    """
    check_room(notes.bytes, entry, disk=shutil.disk_usage(entry).free, memory=psutil.virtual_memory().total)
    cache.write(pixels_path(entry), chunks, asdict(notes))


def check_room(size: int, entry: Path, *, disk: int, memory: int) -> None:
    """Refuse images that would not fit, before the first is decoded.

    Args:
        size: bytes of all images.
        entry: where they are to be stored, twice: in their own order, and in that of a seed.
        disk: bytes that are free there.
        memory: bytes of main memory; each epoch reads all images in a random order, so they must stay in it.

    Raises:
        DataError: there is less disk or memory than they need.
    """
    if size > memory:
        raise DataError(
            f"the images take {_gigabytes(size)} of memory once decoded, but this machine has {_gigabytes(memory)}; "
            "give data.root smaller or fewer images"
        )
    if 2 * size > disk:
        raise DataError(
            f"the decoded images take {_gigabytes(2 * size)} of disk, but the cache folder {entry} has "
            f"{_gigabytes(disk)} left; set ACTSWEEP_CACHE to a folder with more room, or give data.root smaller or "
            "fewer images"
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def contents(entry: Path) -> Contents | None:
    """What an entry holds, or None if its pixels are missing or have another size than recorded. Reads no pixels."""
    record = cache.recorded(pixels_path(entry))
    if record is None:
        return None
    notes: dict[str, Any] = record["notes"]
    counts = tuple(tuple(pool) for pool in notes["counts"])
    identity = cache.digest([notes["names"], notes["shape"], counts, record["sha256"]])
    return Contents(tuple(notes["classes"]), counts, tuple(notes["shape"]), notes["dtype"], identity[:16])


def pixels_intact(entry: Path) -> bool:
    """Whether the pixels are as they were written, by checksum."""
    return cache.intact(pixels_path(entry))


def order_intact(entry: Path, seed: int) -> bool:
    """Whether the images in the order of a seed are as they were written, by checksum."""
    return cache.intact(_ordered(entry, seed))


def write_order(entry: Path, found: Contents, seed: int) -> None:
    """Store labels and images in the order of a seed. The entry must be locked and its pixels intact."""
    order, labels = stratified_order(found.counts, seed)
    pixels = np.memmap(pixels_path(entry), dtype=found.dtype, mode="r", shape=(found.images, *found.shape))

    def parts() -> Iterator[NDArray[Any]]:
        yield labels
        for start in range(0, len(order), CHUNK):
            yield pixels[order[start : start + CHUNK]]

    cache.write(_ordered(entry, seed), parts(), {})


def mapped(entry: Path, found: Contents, seed: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images (n, channels, height, width) and labels (n,) int64 in the order of a seed, without reading them.

    All processes share the pages of the file; a write stays private to the process that does it. Where this seed's
    order is missing it is made first.

    Raises:
        DataError: the order is missing and so are the pixels to make it from.
    """
    path = _ordered(entry, seed)
    if cache.recorded(path) is None:
        with cache.locked(entry):
            if cache.recorded(path) is None:
                if not pixels_intact(entry):
                    raise DataError(f"the cache entry {entry} is damaged; start again, which rebuilds it")
                write_order(entry, found, seed)
    label_bytes = LABEL_BYTES * found.images
    flat = np.asarray(np.memmap(path, dtype=np.uint8, mode="c"))
    images = flat[label_bytes:].view(found.dtype).reshape(found.images, *found.shape)
    return images, flat[:label_bytes].view(np.int64)


def pixels_path(entry: Path) -> Path:
    """The file of an entry's decoded images, in listing order."""
    return entry / "pixels.bin"


def _ordered(entry: Path, seed: int) -> Path:
    return entry / f"order-{seed}.bin"
