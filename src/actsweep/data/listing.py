"""The files of an image folder, found as torchvision's ImageFolder finds them, but without importing it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from actsweep.data.splits import Counts
from actsweep.errors import DataError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ImageFile(NamedTuple):
    """One image's file: its path below the root with '/' between folders, its size in bytes, its time in ns."""

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Listing:
    """All images below a root, pool by pool, class by class, sorted by folder and name."""

    root: Path
    classes: tuple[str, ...]
    counts: Counts
    files: tuple[ImageFile, ...]


def list_images(root: str) -> Listing:
    """Find the images of `root/train/<class>/` and `root/test/<class>/`, or of `root/<class>/` where neither exists.

    Images may lie in folders below their class's; files that are no images by their name are passed over, and so are
    other folders beside `train` and `test`.

    Raises:
        DataError: a folder is missing or unreadable, a class has no image, there are fewer than two classes, or train
            and test differ in their classes.
    """
    folder = Path(root).expanduser().absolute()
    if not folder.is_dir():
        raise DataError(f"data.root={root}: there is no such folder")
    try:
        pools = _pools(folder)
        classes = _classes_of(pools)
        found = [[_images(folder, pool / name) for name in classes] for pool in pools]
    except OSError as error:
        raise DataError(f"data.root={root}: cannot read {error.filename}: {error.strerror}") from error
    counts = tuple(tuple(len(images) for images in pool) for pool in found)
    files = tuple(file for pool in found for images in pool for file in images)
    return Listing(folder, classes, counts, files)


def _pools(root: Path) -> list[Path]:
    train, test = root / "train", root / "test"
    if train.is_dir() and test.is_dir():
        return [train, test]
    for present, absent in ((train, test), (test, train)):
        # A folder that holds images directly is a class that happens to have this name.
        if present.is_dir() and _folders(present):
            raise DataError(
                f"data.root={root} holds {present.name}/ but no {absent.name}/; it must hold both, or be one folder of "
                "classes, from which all splits are taken"
            )
    return [root]


def _classes_of(pools: list[Path]) -> tuple[str, ...]:
    classes = _folders(pools[0])
    for pool in pools:
        names = _folders(pool)
        if len(names) < 2:
            raise DataError(f"data.root: {pool} holds {len(names)} class folders; at least two are needed")
        if odd := sorted(set(names) ^ set(classes)):
            raise DataError(f"data.root: train/ and test/ must have the same classes, but only one has {odd[0]!r}")
    return tuple(classes)


def _folders(parent: Path) -> list[str]:
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def _images(root: Path, folder: Path) -> list[ImageFile]:
    images = []
    for place, _, names in sorted(os.walk(folder, onerror=_raise, followlinks=True)):
        for name in sorted(names):
            if name.lower().endswith(EXTENSIONS):
                path = os.path.join(place, name)  # noqa: PTH118 - ten times a Path's speed, and there may be a million
                status = os.stat(path)  # noqa: PTH116
                images.append(ImageFile(path[len(str(root)) + 1 :], status.st_size, status.st_mtime_ns))
    if not images:
        raise DataError(f"data.root: class folder {folder} holds no image ({', '.join(EXTENSIONS)})")
    return images


def _raise(error: OSError) -> None:
    raise error
