"""A folder of image files, one folder a class."""

import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from actsweep.data import cache
from actsweep.data.entry import Notes
from actsweep.data.images.decode import image_shape, pixels
from actsweep.data.images.listing import EXTENSIONS, Listing, list_images
from actsweep.data.images.origin import LAYOUT, Images, Origin
from actsweep.errors import DataError
from actsweep.settings import DataSettings
from actsweep.system.remote import RemoteFile, RemoteFolder, is_remote


def image_folder(settings: DataSettings) -> Origin:
    """The images below `data.root`. Its files are listed each time, so that a changed one is seen.

    Raises:
        DataError: the folder has another form than `list_images` accepts.
        RemoteError: it is at an address that does not answer.
    """
    if is_remote(settings.root):
        return _remote(RemoteFolder(str(settings.root)))
    listing = list_images(str(settings.root))
    key = cache.digest([LAYOUT, str(listing.root.resolve()), listing.classes, listing.files])
    return Origin(_label(listing), key[:24], lambda entry: _read(listing))


def _remote(folder: RemoteFolder) -> Origin:
    """Images at an address: listed there, and copied to this machine only to be decoded."""
    files = [file for file in folder.files() if Path(file.name).suffix.lower() in EXTENSIONS]
    if not files:
        raise DataError(f"data.root={folder.address}: no images are there ({', '.join(EXTENSIONS)})")
    key = cache.digest([LAYOUT, folder.address, files])
    return Origin(_printable(folder.name), key[:24], lambda entry: _copied(folder, files, entry / "copied"))


def _copied(folder: RemoteFolder, files: list[RemoteFile], place: Path) -> Images:
    shutil.rmtree(place, ignore_errors=True)  # what was cut off
    with _named(folder, place):
        folder.download([file.name for file in files], place)
        images = _read(list_images(str(place)))
    return images._replace(chunks=_and_removed(images.chunks, folder, place))


def _and_removed(chunks: Iterable[NDArray[Any]], folder: RemoteFolder, place: Path) -> Iterator[NDArray[Any]]:
    with _named(folder, place):
        yield from chunks
    shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _named(folder: RemoteFolder, place: Path) -> Iterator[None]:
    """Remove the copy of a folder where an error comes up, and give the error the address in its place."""
    try:
        yield
    except DataError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise DataError(str(error).replace(str(place), folder.address)) from error
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _label(listing: Listing) -> str:
    # The name of what a link points to is seldom the one the user gave; only a path that ends in '..' has none itself.
    name = listing.root.name if listing.root.name != ".." else listing.root.resolve().name
    return _printable(name or str(listing.root))


def _read(listing: Listing) -> Images:
    from PIL.Image import DecompressionBombWarning

    # What is larger than PIL warns of is refused in one message of ours.
    warnings.filterwarnings("ignore", category=DecompressionBombWarning)
    shape = image_shape(listing)
    names = cache.digest([(file.name, file.size) for file in listing.files])
    classes = tuple(_printable(name) for name in listing.classes)
    return Images(Notes(classes, listing.counts, shape, names, "uint8"), pixels(listing, shape))


def _printable(name: str) -> str:
    """A name as text that any file can hold: what is no UTF-8 in it becomes a question mark."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
