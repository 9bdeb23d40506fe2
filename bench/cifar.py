"""CIFAR-10 as JPEG files, unpacked once from beside the checkout to a folder outside it."""

import os
import tarfile
import tempfile
from pathlib import Path

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10-jpeg.tar.xz"


def folder() -> Path:
    """The folder that holds train/ and test/: $CIFAR10_JPEG, or what the archive holds.

    Raises:
        SystemExit: there is neither.
    """
    if given := os.environ.get("CIFAR10_JPEG"):
        return Path(given)
    if not ARCHIVE.exists():
        raise SystemExit("this benchmark needs CIFAR-10 as images: set CIFAR10_JPEG to a folder with train/ and test/")
    target = Path(tempfile.gettempdir()) / "actsweep-cifar10-jpeg"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix="actsweep-cifar10-"))
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(partial, filter="data")
        partial.rename(target)
    return target
