"""Data sets of plugins: arrays, or what is behind the loaders of a LightningDataModule."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, IterableDataset, SubsetRandomSampler, TensorDataset, random_split

import actsweep
from actsweep.data import Source, load, prepare
from actsweep.data.images.plugin import plugin_origin
from actsweep.data.sources import SOURCES
from actsweep.errors import DataError
from actsweep.plugins import DATA_SETS
from actsweep.settings import DataSettings, validated

pytestmark = pytest.mark.usefixtures("clean_registries")

N = 60
LABELS = np.arange(N) % 3
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 1, 8, 8)).astype(np.uint8)


def settings(name: str, **changes: Any) -> DataSettings:
    sizes = {"root": None, "train": None, "val": None, "test": None, "batch_size": 8, "augment": False, "seed": 0}
    return validated(DataSettings, {"name": name, **sizes, **changes})


def prepared(name: str, make: Callable[[DataSettings], Any], **changes: Any) -> Source:
    """The source of a data set that is registered under `name`."""
    actsweep.register_data(name)(make)
    return prepare(settings(name, **changes))


def pixels(source: Source, name: str, split: str) -> list[bytes]:
    """The images of a split, sorted."""
    return sorted(image.numpy().tobytes() for image in getattr(load(source, settings(name)), split).images)


def tensors(start: int, stop: int) -> TensorDataset:
    return TensorDataset(torch.from_numpy(IMAGES[start:stop]), torch.from_numpy(LABELS[start:stop]))


class Loaders(pl.LightningDataModule):
    """A module of two loaders, as they are commonly written."""

    def __init__(self, settings: DataSettings) -> None:
        super().__init__()
        self.ready = False

    def prepare_data(self) -> None:
        self.ready = True

    def setup(self, stage: str) -> None:
        assert self.ready
        self.train, self.val = random_split(tensors(0, 48), [40, 8])

    def train_dataloader(self) -> Any:
        return DataLoader(self.train, batch_size=7, shuffle=True, drop_last=True)

    def val_dataloader(self) -> Any:
        return DataLoader(self.val, batch_size=3)


class WithTest(Loaders):
    def test_dataloader(self) -> Any:
        return DataLoader(tensors(48, N), batch_size=5)


def test_the_packages_own_names_are_those_of_its_sources() -> None:
    assert set(DATA_SETS.built_in) == set(SOURCES)


def test_arrays_are_split_like_any_images() -> None:
    data = load(prepared("arrays_a", lambda settings: (IMAGES, LABELS)), settings("arrays_a"))
    assert (data.classes, data.label, data.image_shape) == (3, "arrays_a", (1, 8, 8))
    assert [len(getattr(data, split).labels) for split in ("train", "val", "test")] == [36, 12, 12]
    label_of = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    for image, label in zip(data.train.images, data.train.labels, strict=True):
        assert label_of[image.numpy().tobytes()] == label


def test_arrays_may_have_test_images_of_their_own() -> None:
    source = prepared("arrays_b", lambda settings: (IMAGES[:48], LABELS[:48], IMAGES[48:], LABELS[48:]))
    assert pixels(source, "arrays_b", "test") == sorted(image.tobytes() for image in IMAGES[48:])


def test_floats_are_kept_as_they_are() -> None:
    images = np.random.default_rng(1).normal(size=(N, 8, 8))
    source = prepared("floats", lambda settings: (torch.from_numpy(images), torch.from_numpy(LABELS)))
    data = load(source, settings("floats"))
    assert data.train.images.dtype == torch.float32
    kept = {image.tobytes() for image in images.astype(np.float32)}
    assert all(image.numpy().tobytes() in kept for image in data.train.images)


def test_the_plugin_is_told_the_settings() -> None:
    told: list[Any] = []

    def make(settings: DataSettings) -> Any:
        told.append((settings.root, dict(settings.options), settings.seed))
        return IMAGES, LABELS

    prepared("told", make, root="here", options={"noise": 0.5}, seed=3)
    assert told == [("here", {"noise": 0.5}, 3)]


def test_the_pool_of_a_module_is_all_that_its_loaders_draw_from() -> None:
    """Also where they shuffle, drop a last batch, and split at random: each image once, and the same each time."""
    source = prepared("module_a", WithTest)
    found = [image for split in ("train", "val") for image in pixels(source, "module_a", split)]
    assert sorted(found) == sorted(image.tobytes() for image in IMAGES[:48])
    assert pixels(source, "module_a", "test") == sorted(image.tobytes() for image in IMAGES[48:])


def test_a_module_without_test_images_has_them_split_off() -> None:
    data = load(prepared("module_b", Loaders), settings("module_b"))
    assert [len(getattr(data, split).labels) for split in ("train", "val", "test")] == [30, 9, 9]


def test_the_order_that_a_plugin_gives_changes_nothing() -> None:
    order = np.random.default_rng(2).permutation(N)
    first = prepared("ordered", lambda settings: (IMAGES, LABELS))
    again = prepared("ordered", lambda settings: (IMAGES[order], LABELS[order]))
    assert first == again


def test_other_images_are_another_data_set() -> None:
    other = IMAGES.copy()
    other[0, 0, 0, 0] ^= 1
    first = prepared("changing", lambda settings: (IMAGES, LABELS))
    again = prepared("changing", lambda settings: (other, LABELS))
    assert first.fingerprint != again.fingerprint
    assert pixels(again, "changing", "train") != pixels(first, "changing", "train")


def test_a_sampler_that_leaves_images_out_is_followed() -> None:
    class Chosen(Loaders):
        def train_dataloader(self) -> Any:
            return DataLoader(tensors(0, 48), sampler=SubsetRandomSampler(range(30)))

        def val_dataloader(self) -> Any:
            return DataLoader(tensors(0, 48), sampler=SubsetRandomSampler(range(30, 36)))

    data = load(prepared("chosen", Chosen), settings("chosen"))
    assert sum(len(getattr(data, split).labels) for split in ("train", "val", "test")) == 36


def test_images_may_come_as_a_stream() -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter(tensors(0, 48))

    class Streaming(pl.LightningDataModule):
        def train_dataloader(self) -> Any:
            return DataLoader(Stream(), batch_size=7)

    data = load(prepared("streaming", lambda settings: Streaming()), settings("streaming"))
    assert sum(len(getattr(data, split).labels) for split in ("train", "val", "test")) == 48


def fails(settings: DataSettings) -> Any:
    raise FileNotFoundError("no tape in drive B")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (fails, r"the plugin failed: FileNotFoundError: no tape in drive B \(.*test_plugin.py, line \d+\)$"),
        (lambda settings: IMAGES, "must return a LightningDataModule, or images and labels, or these and test images"),
        (lambda settings: (IMAGES, LABELS, IMAGES), "must return a LightningDataModule, or images and labels"),
        (lambda settings: None, "must return a LightningDataModule, .* not NoneType"),
        (lambda settings: (IMAGES[:0], LABELS[:0]), "gives a training or test set without images"),
        (lambda settings: (IMAGES, LABELS, IMAGES[:0], LABELS[:0]), "gives a training or test set without images"),
        (lambda settings: (IMAGES, LABELS[:-1]), r"labels must be integers of shape \(60,\)"),
        (lambda settings: (IMAGES, LABELS * 1.0), "labels must be integers of shape .*, not float64"),
        (lambda settings: (IMAGES, LABELS * np.nan), "labels must be integers of shape .*, not float64"),
        (lambda settings: (IMAGES, LABELS - 1), "label -1 of image"),
        (lambda settings: (IMAGES, LABELS * 0), "there are 1 classes; at least two are needed"),
        (lambda settings: (IMAGES.astype(np.int64), LABELS), "images must be uint8 or float32 of shape"),
        (lambda settings: (IMAGES[:, :, :7], LABELS), "they must have at least 8 x 8"),
        (lambda settings: (IMAGES / 0.0, LABELS), "holds values that are not finite"),
        (lambda settings: (3, LABELS), "the plugin failed: TypeError"),
        (lambda settings: pl.LightningDataModule(), "the plugin failed: MisconfigurationException"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_what_is_no_data_set_is_refused(make: Callable[[DataSettings], Any], message: str) -> None:
    actsweep.register_data("wrong")(make)
    with pytest.raises(DataError, match=r"^data=wrong: .*" + message):
        plugin_origin(settings("wrong"))


def test_batches_of_a_module_are_pairs() -> None:
    class Triples(pl.LightningDataModule):
        def train_dataloader(self) -> Any:
            return DataLoader(TensorDataset(*[torch.zeros(4, 1, 8, 8)] * 3))

    actsweep.register_data("triples")(lambda settings: Triples())
    with pytest.raises(DataError, match=r"^data=triples: a batch must be a pair of images and labels, not list$"):
        plugin_origin(settings("triples"))
