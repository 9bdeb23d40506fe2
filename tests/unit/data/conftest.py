from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from actsweep.data import Split
from actsweep.settings import DataSettings

Folder = Callable[..., Path]
Ask = Callable[..., DataSettings]


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("ACTSWEEP_CACHE", str(folder))
    return folder


@pytest.fixture
def ask() -> Ask:
    """Data settings; without a root those of the digits."""

    def build(root: Path | None = None, **changes: object) -> DataSettings:
        defaults = {
            "name": "image_folder" if root else "digits",
            "root": str(root) if root else None,
            "train": None,
            "val": None,
            "test": None,
            "batch_size": 4,
            "augment": False,
            "seed": 0,
        }
        return DataSettings(**{**defaults, **changes})

    return build


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An image folder of random pixels, stored without loss; every image of a root is another."""

    def build(
        counts: Mapping[str, int], name: str = "images", size: tuple[int, int] = (8, 8), mode: str = "RGB"
    ) -> Path:
        pixels = np.random.default_rng(0)
        root = tmp_path / name
        for place, count in counts.items():
            (root / place).mkdir(parents=True)
            for number in range(count):
                array = pixels.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(array).convert(mode).save(root / place / f"{number:04}.png")
        return root

    return build


@pytest.fixture
def two_classes(folder: Folder) -> Path:
    return folder({"train/cat": 30, "train/dog": 20, "test/cat": 6, "test/dog": 4})


@pytest.fixture
def numbered() -> Callable[..., Split]:
    """A split whose labels number its images and whose pixels are random."""

    def build(n: int, shape: tuple[int, int, int] = (3, 32, 32)) -> Split:
        generator = torch.Generator().manual_seed(1)
        images = torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=generator)
        return Split(images, torch.arange(n))

    return build
