"""CIFAR-10 as torchvision publishes it: from the user's folder or downloaded once, and proved by its checksums."""

import errno
import os
import shutil
import socket
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np

from actsweep.data import cache
from actsweep.data.images.listing import root_folder
from actsweep.data.images.origin import LAYOUT, Download, Images, Origin, array_images
from actsweep.errors import DataError
from actsweep.settings import DataSettings

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

# A server that sends nothing for so long is given up.
PATIENCE_SECONDS = 30.0
ARCHIVE_BYTES = 170_498_071


def cifar10(settings: DataSettings, published: "type[CIFAR10] | None" = None) -> Origin:
    """CIFAR-10, with its own test images.

    Its files are looked for in `data.root` (null: in the cache), unpacked or as the archive; where they are not, the
    archive is downloaded to there. Once decoded, the cache needs neither them nor a network.

    Args:
        settings: of these only `root` matters.
        published: torchvision's class, or one like it: its URL, file names and checksums are used.
    """

    def read(entry: Path) -> Images:
        return _read(settings.root, published or _published_by_torchvision(), entry)

    def download(entry: Path) -> Download | None:
        return _to_download(settings.root, published or _published_by_torchvision(), entry)

    return Origin("CIFAR-10", f"cifar10-{LAYOUT}", read, download)


def _published_by_torchvision() -> "type[CIFAR10]":
    from torchvision import datasets  # seconds, and a cached data set does not need it

    published: type[CIFAR10] = datasets.CIFAR10
    return published


def _read(root: str | None, published: "type[CIFAR10]", entry: Path) -> Images:
    with cache.scratch(entry) as scratch:
        folder = _unpacked(_home(root, published, entry), published, scratch, root)
        train, test = (published(str(folder), train=train) for train in (True, False))
    pools = [(each.data.transpose(0, 3, 1, 2), np.asarray(each.targets)) for each in (train, test)]
    return array_images(pools, train.classes, "cifar10")


def _to_download(root: str | None, published: "type[CIFAR10]", entry: Path) -> Download | None:
    home = _home(root, published, entry)
    archive = home / published.filename
    if archive.exists():
        there = bool(root) or _is(archive, published.tgz_md5)
    else:
        there = (home / published.base_folder).exists()
    if there:
        return None
    _check_writable(home)
    return Download(archive, ARCHIVE_BYTES)


def _home(root: str | None, published: "type[CIFAR10]", entry: Path) -> Path:
    """The folder that holds, or will hold, the files."""
    if not root:
        return entry
    home = root_folder(root)
    if home.exists() and not home.is_dir():
        raise DataError(f"data.root={root} is no folder; give the folder that holds {_either(published)}")
    return home.parent if home.name == published.base_folder else home


def _unpacked(home: Path, published: "type[CIFAR10]", scratch: Path, root: str | None) -> Path:
    """A folder in which all files are unpacked and proved whole: the user's own, or `scratch`."""
    bad = _bad_file(home, published)
    if bad is None:
        return home
    archive = home / published.filename
    if archive.exists():
        intact = _is(archive, published.tgz_md5)
        if not intact and root:
            raise _damaged(archive, published)
    else:
        intact = False
        if (home / published.base_folder).exists():
            raise _damaged(bad, published)
    if not intact:
        _download(published, scratch, archive, root)
    with tarfile.open(archive) as content:
        content.extractall(scratch, filter="data")
    bad = _bad_file(scratch, published)
    if bad is not None:
        raise DataError(f"data=cifar10: {archive} lacks {bad.relative_to(scratch)} as torchvision knows it")
    return scratch


def _bad_file(home: Path, published: "type[CIFAR10]") -> Path | None:
    """The first of the unpacked files that is missing or not what its checksum says; None if all are right."""
    meta = (published.meta["filename"], published.meta["md5"])
    for name, md5 in (meta, *published.train_list, *published.test_list):
        path: Path = home / published.base_folder / name
        if not _is(path, md5):
            return path
    return None


def _is(path: Path, md5: str) -> bool:
    from torchvision.datasets.utils import check_integrity

    return bool(check_integrity(path, md5))


def _download(published: "type[CIFAR10]", scratch: Path, archive: Path, root: str | None) -> None:
    from torchvision.datasets.utils import download_url

    _check_writable(archive.parent)
    host = urlsplit(published.url).netloc
    failed = f"data=cifar10: the download of {published.filename} from {host} failed"
    if root:
        failed = f"data.root={root} holds no {_either(published)}, and the download of the latter from {host} failed"
    instead = f"give data.root=FOLDER that holds {_either(published)}, or use data=image_folder"
    try:
        with _patience():
            urlopen(published.url).close()  # so that nothing is announced that cannot begin
            sys.stderr.write(f"CIFAR-10: downloading {published.filename} from {host} to {archive.parent}, once\n")
            with _bar():
                download_url(published.url, scratch, published.filename, published.tgz_md5)
    except (URLError, HTTPException, RecursionError, OSError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(f"{failed}: {_reason(error)}; {instead}") from error
    except RuntimeError as error:
        size = (scratch / published.filename).stat().st_size
        raise DataError(
            f"{failed}: its {size:,} bytes do not have the MD5 {published.tgz_md5}, so the transfer was cut short or "
            f"the file is another one; nothing of it is kept; try again, {instead}"
        ) from error
    _keep(scratch / published.filename, archive)


def _check_writable(folder: Path) -> None:
    """Before minutes of download rather than after."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise DataError(f"data.root: {folder} holds no CIFAR-10, and cannot be written to download it; choose another")


def _keep(downloaded: Path, archive: Path) -> None:
    """Under its final name the archive appears whole or not at all, though it may come from another file system."""
    part = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(downloaded, part)
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _patience() -> Iterator[None]:
    """torchvision's download sets no time limit of its own: without one a silent server would hold us for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _bar() -> "redirect_stderr[StringIO] | nullcontext[None]":
    """Lets torchvision's progress bar through to a terminal only: in a log it would be a thousand lines."""
    return nullcontext() if sys.stderr.isatty() else redirect_stderr(StringIO())


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or (error if isinstance(inner, str) else inner))


def _either(published: "type[CIFAR10]") -> str:
    return f"{published.base_folder} or {published.filename}"


def _damaged(path: Path, published: "type[CIFAR10]") -> DataError:
    return DataError(
        f"data.root: {path} is missing, damaged or another file, by its MD5; replace it, "
        f"or remove {_either(published)} there to have it downloaded"
    )
