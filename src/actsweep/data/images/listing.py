"""The files of an image folder, found as torchvision's ImageFolder finds them, but without importing it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from actsweep.data.splits import Counts
from actsweep.errors import DataError

MOST_FOLDERS, DEEPEST = 100_000, 100  # below that of a class; a few links can stand for any number of folders
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
        DataError: a folder is missing, unreadable, or leads back to itself; what has an image's name is no file; a
            class has no image; there are fewer than two classes; or train and test differ in their classes.
    """
    folder = root_folder(root)
    try:
        if not folder.is_dir():
            place = f" (looked for {folder})" if str(folder) != root else ""
            what = "that is a file, not a folder" if folder.exists() else f"there is no such folder{place}"
            raise DataError(f"data.root={root}: {what}")
        pools = _pools(folder)
        classes = _classes_of(pools)
        found = [[_images(folder, pool / name) for name in classes] for pool in pools]
    except OSError as error:
        raise DataError(f"data.root={root}: cannot read {error.filename}: {error.strerror}") from error
    counts = tuple(tuple(len(images) for images in pool) for pool in found)
    files = tuple(file for pool in found for images in pool for file in images)
    return Listing(folder, classes, counts, files)


def root_folder(root: str) -> Path:
    """The folder that `data.root` names, absolute; `~` is a home folder, and it need not exist.

    Raises:
        DataError: there is no such home folder.
    """
    try:
        return Path(root).expanduser().absolute()
    except RuntimeError as error:
        raise DataError(f"data.root={root}: there is no such home folder") from error


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
            present, absent = ("train", "test") if odd[0] in classes else ("test", "train")
            raise DataError(
                f"data.root: {pools[0].parent / present} has a class {odd[0]!r}, but {absent}/ has not; "
                "train/ and test/ must have the same classes"
            )
    return tuple(classes)


def _folders(parent: Path) -> list[str]:
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def _images(root: Path, folder: Path) -> list[ImageFile]:
    images = []
    below = islice(_files_below(str(folder), {_identity(root), _identity(folder.parent)}), MOST_FOLDERS + 1)
    places = sorted(below)
    if len(places) > MOST_FOLDERS:
        raise DataError(
            f"data.root: {folder} holds more than {MOST_FOLDERS} folders, links followed; is it the right one?"
        )
    for place, names in places:
        for name in sorted(names):
            if name.lower().endswith(EXTENSIONS):
                path = os.path.join(place, name)  # noqa: PTH118 - ten times a Path's speed, and there may be a million
                status = os.stat(path)  # noqa: PTH116
                if not stat.S_ISREG(status.st_mode):  # a pipe would hold its reader for ever
                    raise DataError(f"data.root: {path} has the name of an image, but is no file")
                images.append(ImageFile(path[len(str(root)) + 1 :], status.st_size, status.st_mtime_ns))
    if not images:
        raise DataError(f"data.root: class folder {folder} holds no image ({', '.join(EXTENSIONS)})")
    return images


def _files_below(folder: str, above: set[tuple[int, int]]) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the names of its files, links followed; `above` identifies the folders that it lies in."""
    if len(above) > DEEPEST:
        raise DataError(f"data.root: {folder} lies more than {DEEPEST} folders deep; is it the right one?")
    here = _identity(folder)
    if here in above:
        raise DataError(f"data.root: {folder} leads back to a folder that it lies in, a loop of links; remove the link")
    with os.scandir(folder) as entries:
        found = list(entries)
    folders = [entry.path for entry in found if entry.is_dir()]
    yield folder, [entry.name for entry in found if not entry.is_dir()]
    for inner in folders:
        yield from _files_below(inner, above | {here})


def _identity(folder: str | Path) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116
    return status.st_dev, status.st_ino
