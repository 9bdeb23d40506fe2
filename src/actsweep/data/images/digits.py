"""scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels that come with the library."""

from pathlib import Path

import numpy as np

from actsweep.data.images.origin import LAYOUT, Images, Origin, array_images
from actsweep.settings import DataSettings


def digits(settings: DataSettings) -> Origin:
    """The digits; nothing in the settings changes them."""
    return Origin("digits", f"digits-{LAYOUT}", _read)


def _read(entry: Path) -> Images:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    scaled = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    return array_images([(scaled, labels)], [str(digit) for digit in range(10)], "digits")
