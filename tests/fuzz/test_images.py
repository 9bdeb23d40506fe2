"""Images, damaged at random among whole ones: the data set is decoded or refused in one message, and soon."""

import io
import random
import shutil
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actsweep.data import prepare
from actsweep.errors import ActsweepError
from actsweep.settings import DataSettings, StudyConfig

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")  # of what is wrong with an image
LONGEST_SECONDS = 10
FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF"}
MODES = ("RGB", "RGB", "RGB", "L", "P", "RGBA", "CMYK", "1", "I;16")
SIDE = 8
Compose = Callable[..., StudyConfig]


def encoded(chance: random.Random, mode: str, name: str, size: tuple[int, int]) -> bytes:
    """An image file; a mode that its format cannot hold becomes RGB."""
    pixels = np.frombuffer(chance.randbytes(size[0] * size[1] * 3), np.uint8).reshape(*size, 3)
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    try:
        image.convert(mode).save(buffer, name)
    except (OSError, ValueError):
        buffer = io.BytesIO()
        image.save(buffer, name)
    return buffer.getvalue()


def damaged(chance: random.Random) -> tuple[str, bytes]:
    """A file name's ending, and what is in the file."""
    ending = chance.choice(list(FORMATS))
    size = (SIDE, SIDE) if chance.random() < 0.8 else chance.choice(((1, 1), (SIDE, SIDE + 1), (1, 5000), (0, 0)))
    if 0 in size:
        return ending, b""
    if chance.random() < 0.2:
        return chance.choice(BOMBS)
    content = bytearray(encoded(chance, chance.choice(MODES), FORMATS[ending], size))
    match chance.randrange(5):
        case 0:
            content = content[: chance.randrange(len(content))]
        case 1:
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case 2:
            ending = chance.choice(list(FORMATS))
        case 3:
            content = bytearray(chance.randbytes(chance.randint(0, 300)))
        case _:
            pass
    return ending, bytes(content)


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG file of any dimensions, with whatever for pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    ends = (struct.pack(">I", zlib.crc32(name + content)) for name, content in chunks)
    parts = (struct.pack(">I", len(content)) + name + content for name, content in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(part + end for part, end in zip(parts, ends, strict=True))


def _animated() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (SIDE, SIDE), (shade, 0, 0)) for shade in range(20)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


BOMBS = (
    ("png", _png(60_000, 60_000, b"")),
    ("png", _png(2**31 - 1, 2**31 - 1, b"")),
    ("png", _png(SIDE, SIDE, bytes(10**7))),
    ("png", _png(5000, 5000, bytes(5000 * 15_001))),
    ("ppm", b"P6\n%d %d\n255\n" % (10**9, 10**12)),
    ("ppm", b"P6\n8 8\n65535\n" + bytes(8 * 8 * 6)),
    ("webp", _animated()),
    ("jpg", b"%!PS-Adobe\n%%BoundingBox: 0 0 8 8\nshowpage"),
    ("png", b"<svg/>"),
)


def decoded_or_refused(settings: DataSettings, number: int, folder: Path) -> str:
    """Two classes of six images for training and testing each, of which one is damaged."""
    chance = random.Random(number)
    root = folder / "images"
    for split in ("train", "test"):
        for label in ("a", "b"):
            (root / split / label).mkdir(parents=True)
            for image in range(6):
                (root / split / label / f"{image}.png").write_bytes(encoded(chance, "RGB", "PNG", (SIDE, SIDE)))
    ending, content = damaged(chance)
    (root / "train" / "a" / f"damaged.{ending}").write_bytes(content)
    began = time.monotonic()
    try:
        prepare(settings.model_copy(update={"root": str(root)}))
    except ActsweepError as error:
        outcome, said = "refused", str(error)
    else:
        outcome, said = "decoded", "damaged or not"
    assert "damaged" in said, number
    assert time.monotonic() - began < LONGEST_SECONDS, number
    shutil.rmtree(root)
    return outcome


@pytest.fixture
def outcomes(compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[range], set[str]]:
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "cache"))
    sizes = ("data.train=null", "data.val=2", "data.test=null")
    settings = compose("experiment=smoke", "data=image_folder", "data.root=x", *sizes).data
    return lambda numbers: {decoded_or_refused(settings, number, tmp_path) for number in numbers}


def test_a_few_images(outcomes: Callable[[range], set[str]]) -> None:
    assert outcomes(range(20)) == {"decoded", "refused"}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_thousand_images(outcomes: Callable[[range], set[str]]) -> None:
    assert outcomes(range(1000)) == {"decoded", "refused"}
