"""Image files become bytes exactly as PIL reads them, and a bad file is refused by its name."""

import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from actsweep.data.images.decode import MAX_PIXELS, PARALLEL_PIXELS, image_shape, pixels
from actsweep.data.images.listing import list_images
from actsweep.errors import DataError


def decoded(root):
    listing = list_images(str(root))
    shape = image_shape(listing)
    return np.concatenate(list(pixels(listing, shape)))


def as_pil_reads(root, mode="RGB"):
    files = list_images(str(root)).files
    arrays = [np.asarray(Image.open(root / file.name).convert(mode)) for file in files]
    return np.stack([array.reshape(*array.shape[:2], -1).transpose(2, 0, 1) for array in arrays])


def replace(root, content, name="dog/0000.png"):
    """Put another image, or other bytes, in the place of one file."""
    if isinstance(content, bytes):
        (root / name).write_bytes(content)
    else:
        content.save(root / name, format="PNG")


@pytest.mark.parametrize("size", [(8, 8), (12, 9), (104, 100)], ids=["small", "not square", "in parallel"])
def test_images_in_the_order_of_the_listing(folder, size):
    root = folder({"cat": 80, "dog": 70}, size=size)
    assert size[0] * size[1] >= PARALLEL_PIXELS or size[0] < 100
    assert np.array_equal(decoded(root), as_pil_reads(root))


def test_grey_images_have_one_channel(folder):
    root = folder({"cat": 3, "dog": 3}, mode="L")
    assert decoded(root).shape == (6, 1, 8, 8)
    assert np.array_equal(decoded(root), as_pil_reads(root, "L"))


def test_one_image_in_colour_makes_three_channels_of_all(folder):
    root = folder({"cat": 3, "dog": 3}, mode="L")
    replace(root, Image.new("RGB", (8, 8), (1, 2, 3)))
    assert decoded(root).shape == (6, 3, 8, 8)
    assert np.array_equal(decoded(root), as_pil_reads(root))


@pytest.mark.parametrize("mode", ["1", "LA", "P", "RGBA"])
def test_another_mode_becomes_rgb(folder, mode):
    root = folder({"cat": 2, "dog": 2}, mode=mode)
    assert np.array_equal(decoded(root), as_pil_reads(root))


def test_cmyk_becomes_rgb(folder):
    root = folder({"cat": 2, "dog": 2})
    Image.new("CMYK", (8, 8), (10, 20, 30, 40)).save(root / "dog" / "0001.jpg")
    (root / "dog" / "0001.png").unlink()
    assert np.array_equal(decoded(root), as_pil_reads(root))


def test_a_palette_with_transparent_colours_becomes_rgb_without_a_warning(folder):
    root = folder({"cat": 2, "dog": 2})
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 7, 8, 9])
    image.save(root / "dog" / "0001.png", transparency=bytes([0, 128]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(root)[3, :, 0, 0].tolist() == [7, 8, 9]


def claiming(width, height):
    """A PNG of a few bytes whose header claims a size."""
    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("name", ["cat/0000.png", "dog/0001.png"])
@pytest.mark.parametrize("side", [5000, 100_000])
def test_an_image_too_large_to_be_read_is_refused_by_name_before_it_is_decoded(folder, side, name):
    root = folder({"cat": 2, "dog": 2})
    replace(root, claiming(side, side), name)
    assert side**2 > MAX_PIXELS
    with pytest.raises(
        DataError, match=rf"{name} is (5000 x 5000 pixels; the largest|no readable image: .*exceeds limit)"
    ):
        decoded(root)


def test_a_file_that_cannot_be_read_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    (root / "dog" / "0000.png").unlink()
    # A file whose every read fails, also for a superuser: address 0 of this process's own memory.
    (root / "dog" / "0000.png").symlink_to("/proc/self/mem")
    with pytest.raises(DataError, match=r"dog/0000\.png is no readable image: Input/output error"):
        decoded(root)


@pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may read every file")
def test_a_file_without_permission_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    (root / "dog" / "0000.png").chmod(0)
    with pytest.raises(DataError, match=r"dog/0000\.png is no readable image: Permission denied"):
        decoded(root)


def test_names_that_are_no_utf_8_are_read(folder):
    root = folder({"cat": 2, "dog": 2})
    os.rename(os.fsencode(root / "dog" / "0000.png"), os.fsencode(root / "dog") + b"/\xff.png")  # noqa: PTH104
    assert np.array_equal(decoded(root), as_pil_reads(root))


def test_an_empty_file_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    replace(root, b"")
    with pytest.raises(DataError, match=r"dog/0000\.png is no readable image"):
        decoded(root)


def test_a_file_of_other_content_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    replace(root, b"<html>not found</html>")
    with pytest.raises(DataError, match=r"dog/0000\.png is no readable image"):
        decoded(root)


def test_a_corrupt_first_image_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    replace(root, b"?", "cat/0000.png")
    with pytest.raises(DataError, match=r"cat/0000\.png is no readable image"):
        decoded(root)


@pytest.mark.parametrize("extension", ["png", "jpg"])
@pytest.mark.parametrize("size", [(16, 16), (104, 100)], ids=["small", "in parallel"])
def test_a_truncated_image_is_refused_by_name(folder, extension, size):
    root = folder({"cat": 2, "dog": 2}, size=size)
    with Image.open(root / "dog" / "0000.png") as image:
        image.save(root / "dog" / f"cut.{extension}")
    content = (root / "dog" / f"cut.{extension}").read_bytes()
    (root / "dog" / f"cut.{extension}").write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(DataError, match=rf"dog/cut\.{extension} is no readable image"):
        decoded(root)


def test_an_image_of_another_size_is_refused_by_name(folder):
    root = folder({"cat": 2, "dog": 2})
    replace(root, Image.new("RGB", (9, 8)))
    with pytest.raises(DataError, match=r"dog/0000\.png is 9 x 8 pixels, but \S*cat/0000\.png is 8 x 8"):
        decoded(root)


@pytest.mark.parametrize("size", [(7, 8), (8, 7)])
def test_images_below_8_x_8_are_refused_by_name(folder, size):
    root = folder({"cat": 2, "dog": 2}, size=size)
    with pytest.raises(DataError, match=rf"cat/0000\.png is {size[0]} x {size[1]} pixels.*at least 8 x 8"):
        decoded(root)


@pytest.mark.parametrize("name", ["cat/0000.png", "dog/0001.png"])
def test_sixteen_bits_a_pixel_are_refused_by_name(folder, name):
    root = folder({"cat": 2, "dog": 2}, mode="L")
    replace(root, Image.new("I;16", (8, 8)), name)
    with pytest.raises(DataError, match=rf"{name} has more than 8 bits a pixel \(mode I;16\)"):
        decoded(root)
