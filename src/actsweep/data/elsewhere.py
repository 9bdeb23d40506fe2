"""Decoded images on machines that have not decoded them: copied once into the cache there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actsweep.data import cache
from actsweep.data.entry import contents, pixels_path
from actsweep.data.sources import Source
from actsweep.errors import DataError

Pixels = tuple[dict[str, Any], NDArray[np.uint8]]
"""What a sidecar says of decoded images, and their bytes, shape (n,), in listing order."""


def pixels_of(source: Source) -> Pixels:
    """The images of a source that is on this machine, without reading them.

    Raises:
        DataError: they are not, or are damaged.
    """
    path = pixels_path(Path(source.path))
    record = cache.recorded(path)
    if record is None:
        raise DataError(f"the cache entry {source.path} is damaged; start again, which rebuilds it")
    return record["notes"], np.memmap(path, dtype=np.uint8, mode="r")


def brought(source: Source, ask: Callable[[], Pixels]) -> Source:
    """A source of another machine on this one: as it is where its cache is shared, else copied into the cache here.

    Of several processes one copies, and the others wait.

    Args:
        source: as the other machine prepared it.
        ask: gets the images, when they are needed.

    Raises:
        DataError: this machine's disk cannot hold them, or what came is not what was prepared.
    """
    if _holds(Path(source.path), source):
        return source
    entry = cache.cache_folder() / Path(source.path).name
    with cache.locked(entry):
        if not _holds(entry, source):
            notes, pixels = ask()
            cache.write(pixels_path(entry), [pixels], notes)
            if not _holds(entry, source):
                raise DataError(f"{entry}: the images that came from the driver's machine are not those of the study")
    return replace(source, path=str(entry))


def _holds(entry: Path, source: Source) -> bool:
    found = contents(entry)
    return found is not None and found.fingerprint == source.fingerprint
