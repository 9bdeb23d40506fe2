"""A folder of image files, one folder a class."""

import warnings

from actsweep.data import cache
from actsweep.data.decode import image_shape, pixels
from actsweep.data.entry import Notes
from actsweep.data.listing import Listing, list_images
from actsweep.data.origin import LAYOUT, Images, Origin
from actsweep.settings import DataSettings


def image_folder(settings: DataSettings) -> Origin:
    """The images below `data.root`. Its files are listed each time, so that a changed one is seen.

    Raises:
        DataError: the folder has another form than `list_images` accepts.
    """
    listing = list_images(str(settings.root))
    key = cache.digest([LAYOUT, str(listing.root.resolve()), listing.classes, listing.files])
    return Origin(_label(listing), key[:24], lambda entry: _read(listing))


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
