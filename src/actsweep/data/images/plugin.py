"""Data sets of plugins: arrays, or the data sets behind the loaders of a LightningDataModule."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, Subset

from actsweep.data import cache
from actsweep.data.images.origin import LAYOUT, Origin, Pool, array_images
from actsweep.errors import DataError
from actsweep.plugins import DATA_SETS, reason
from actsweep.settings import DataSettings

CHUNK = 256


def plugin_origin(settings: DataSettings) -> Origin:
    """The images that the plugin called `data.name` gives; they are read here, since only they tell what changed.

    The images of a module's training and validation loaders are one pool, from which validation is split as with every
    other data set. Within a class the order is that of the images' digests, so that it depends on no loader's.

    Raises:
        DataError: the plugin fails, or gives something else than `register_data` says.
    """
    pools = _pools(settings)
    largest = max(int(labels.max()) if labels.dtype.kind in "iu" else 1 for _, labels in pools)
    classes = [str(label) for label in range(1 + largest)]
    array_images(pools, classes, settings.name)
    key = cache.digest([LAYOUT, settings.name, [(array.dtype.name, array.shape) for pool in pools for array in pool]])
    content = hashlib.sha256(key.encode())
    for array in (array for pool in pools for array in pool):
        for start in range(0, len(array), CHUNK):
            content.update(array[start : start + CHUNK].tobytes())
    return Origin(settings.name, content.hexdigest()[:24], lambda entry: array_images(pools, classes, settings.name))


def _pools(settings: DataSettings) -> tuple[Pool, ...]:
    try:
        made = DATA_SETS.added[settings.name](settings)
        parts = list(_of_module(made)) if isinstance(made, pl.LightningDataModule) else _of_arrays(made)
        pools = tuple(_in_order(*pool) for pool in parts)
    except DataError as error:
        raise DataError(f"data={settings.name}: {error}") from error
    except Exception as error:
        raise DataError(f"data={settings.name}: the plugin failed: {reason(error)}") from error
    if not all(len(labels) for _, labels in pools):
        raise DataError(f"data={settings.name}: the plugin gives a training or test set without images")
    return pools


def _of_arrays(made: object) -> list[Pool]:
    if not isinstance(made, tuple | list) or len(made) not in (2, 4):
        raise DataError(
            "the plugin must return a LightningDataModule, or images and labels, "
            f"or these and test images and labels, not {type(made).__name__}"
        )
    return [(_as_images(made[at]), np.asarray(made[at + 1])) for at in range(0, len(made), 2)]


def _of_module(module: pl.LightningDataModule) -> Iterator[Pool]:
    module.prepare_data()
    module.setup("fit")
    loaders = [module.train_dataloader()]
    if _defines(module, "val_dataloader"):
        loaders.append(module.val_dataloader())
    yield _joined([batch for loader in loaders for batch in _batches(loader)])
    if _defines(module, "test_dataloader"):
        module.setup("test")
        yield _joined(list(_batches(module.test_dataloader())))


def _defines(module: pl.LightningDataModule, method: str) -> bool:
    return getattr(type(module), method) is not getattr(pl.LightningDataModule, method)


def _batches(loader: Any) -> Iterable[Any]:
    """Each image that a loader draws from, once; what it would leave out or repeat is its sampler's matter."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return list(loader)
    chosen = Subset(loader.dataset, sorted(set(loader.sampler)))
    return DataLoader(chosen, batch_size=CHUNK, collate_fn=loader.collate_fn)


def _joined(batches: Sequence[Any]) -> Pool:
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise DataError(f"a batch must be a pair of images and labels, not {type(batch).__name__}")
    if not batches:
        return np.empty((0, 1, 8, 8), dtype=np.uint8), np.empty(0, dtype=np.int64)
    images, labels = ([np.asarray(batch[part]) for batch in batches] for part in (0, 1))
    return _as_images(np.concatenate(images)), np.concatenate(labels)


def _as_images(array: Any) -> NDArray[Any]:
    images = np.asarray(array)
    images = images[:, None] if images.ndim == 3 else images
    return images.astype(np.float32) if images.dtype == np.float64 else images


def _in_order(images: NDArray[Any], labels: NDArray[Any]) -> Pool:
    if len(images) != len(labels):  # which is refused with a message where shapes are checked
        return images, labels
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    order = sorted(range(len(images)), key=digests.__getitem__)
    return images[order], labels[order]
