"""One entry of the cache: the decoded images in listing order, and, for each `data.seed`, labels and images in the
order of the splits, so that every split is a stretch of one file that all trials of a machine have mapped.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actsweep.data import cache
from actsweep.data.splits import Counts, stratified_order
from actsweep.errors import DataError

CHUNK = 1024
LABEL_BYTES = 8


@dataclass(frozen=True)
class Contents:
    """What an entry holds.

    Attributes:
        classes: the classes' names; a label is an index into them.
        counts: images per pool and class.
        shape: channels, height and width of one image.
        fingerprint: identity of names, sizes and pixels, wherever and whenever the files were written.
    """

    classes: tuple[str, ...]
    counts: Counts
    shape: tuple[int, int, int]
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


def write_pixels(entry: Path, chunks: Iterable[NDArray[np.uint8]], notes: Notes) -> None:
    """Store decoded images, shape (n, channels, height, width), in listing order. The entry must be locked."""
    cache.write(_pixels(entry), chunks, asdict(notes))


def contents(entry: Path) -> Contents | None:
    """What an entry holds, or None if its pixels are missing or have another size than recorded. Reads no pixels."""
    record = cache.recorded(_pixels(entry))
    if record is None:
        return None
    notes: dict[str, Any] = record["notes"]
    counts = tuple(tuple(pool) for pool in notes["counts"])
    identity = cache.digest([notes["names"], notes["shape"], counts, record["sha256"]])
    return Contents(tuple(notes["classes"]), counts, tuple(notes["shape"]), identity[:16])


def pixels_intact(entry: Path) -> bool:
    """Whether the pixels are as they were written, by checksum."""
    return cache.intact(_pixels(entry))


def order_intact(entry: Path, seed: int) -> bool:
    """Whether the images in the order of a seed are as they were written, by checksum."""
    return cache.intact(_ordered(entry, seed))


def write_order(entry: Path, found: Contents, seed: int) -> None:
    """Store labels and images in the order of a seed. The entry must be locked and its pixels intact."""
    order, labels = stratified_order(found.counts, seed)
    pixels = np.memmap(_pixels(entry), dtype=np.uint8, mode="r", shape=(found.images, *found.shape))

    def parts() -> Iterator[NDArray[Any]]:
        yield labels
        for start in range(0, len(order), CHUNK):
            yield pixels[order[start : start + CHUNK]]

    cache.write(_ordered(entry, seed), parts(), {})


def mapped(entry: Path, found: Contents, seed: int) -> tuple[Tensor, Tensor]:
    """Images (n, channels, height, width) uint8 and labels (n,) int64 in the order of a seed, without reading them.

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
    size = label_bytes + found.images * int(np.prod(found.shape))
    flat = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8)
    return flat[label_bytes:].view(found.images, *found.shape), flat[:label_bytes].view(torch.int64)


def _pixels(entry: Path) -> Path:
    return entry / "pixels.u8"


def _ordered(entry: Path, seed: int) -> Path:
    return entry / f"order-{seed}.u8"
