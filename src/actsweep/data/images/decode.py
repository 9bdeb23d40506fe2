"""Image files -> pixels. Only a data set that is decoded for the first time needs PIL, and only here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from actsweep.data.images.listing import Listing
from actsweep.data.images.origin import MIN_SIDE
from actsweep.errors import DataError
from actsweep.system.devices import cores

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 4096 * 4096
CHUNK = 64
# Smaller images are mostly Python's work, where threads only wait for each other: on two cores, two threads take 1.4
# times as long as one for images of 32 x 32 pixels, and 0.4 times as long for 224 x 224.
PARALLEL_PIXELS = 100 * 100

Shape = tuple[int, int, int]


def image_shape(listing: Listing) -> Shape:
    """Channels, height and width of a folder's images: those of the first; one channel only if all are grey.

    Raises:
        DataError: the first image is unreadable, smaller than 8 x 8 pixels, or larger than 4096 x 4096.
    """
    first = listing.root / listing.files[0].name
    with _opened(first) as image:
        width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise _refused(first, f"is {width} x {height} pixels; images must have at least {MIN_SIDE} x {MIN_SIDE}")
    return 1 if _all_grey(listing) else 3, height, width


def pixels(listing: Listing, shape: Shape) -> Iterator[NDArray[np.uint8]]:
    """Decode all images, in parallel where that is faster; anything but 8-bit grey is converted to RGB.

    Returns:
        arrays of shape (at most 64, channels, height, width), in the listing's order.

    Raises:
        DataError: a file is no readable image, has 16 bits or more a channel, or another size than the first.
    """
    paths = [listing.root / file.name for file in listing.files]
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    read = partial(_read_chunk, first=paths[0], shape=shape)
    workers = cores() if shape[1] * shape[2] >= PARALLEL_PIXELS else 1
    if workers == 1:
        yield from map(read, chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        # In waves, so that a slow disk does not let decoded images pile up in memory.
        wave = 4 * workers
        for start in range(0, len(chunks), wave):
            yield from pool.map(read, chunks[start : start + wave])


def _read_chunk(paths: list[Path], first: Path, shape: Shape) -> NDArray[np.uint8]:
    channels, height, width = shape
    out = np.empty((len(paths), height, width, channels), dtype=np.uint8)
    for slot, path in zip(out, paths, strict=True):
        with _opened(path) as image:
            if image.size != (width, height):
                raise _refused(
                    path,
                    f"is {image.size[0]} x {image.size[1]} pixels, but {first} is {width} x {height}; "
                    "all images of a data set must have one size",
                )
            slot[:] = np.asarray(_converted(image, channels)).reshape(slot.shape)
    return np.ascontiguousarray(out.transpose(0, 3, 1, 2))


def _converted(image: "Image", channels: int) -> "Image":
    if channels == 1 or image.mode == "RGB":
        return image
    # PIL warns about palettes with partly transparent colours unless these are resolved first.
    return (image.convert("RGBA") if image.mode == "P" else image).convert("RGB")


def _all_grey(listing: Listing) -> bool:
    for file in listing.files:
        with _opened(listing.root / file.name) as image:
            if image.mode != "L":
                return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    """An open image; whatever PIL raises while it is used is an error of this file."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refused(
                    path, f"is {image.width} x {image.height} pixels; the largest that is read is 4096 x 4096"
                )
            if image.mode == "F" or image.mode.startswith("I"):
                raise _refused(path, f"has more than 8 bits a pixel (mode {image.mode}); convert it to 8 bits")
            yield image
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise _refused(path, "is no readable image: its content is of no known format, whatever its name") from error
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise _refused(path, f"is no readable image: {reason}") from error


def _refused(path: Path, why: str) -> DataError:
    return DataError(f"data.root: {path} {why}")
