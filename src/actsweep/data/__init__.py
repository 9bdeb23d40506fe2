"""Data sets: decoded once, split once, and then served in batches from memory that all trials of a machine share.

sources.py    each data set by its name, and `prepare`
images/       where their images come from: files, a download, arrays, modules of plugins
entry.py cache.py elsewhere.py    decoded images on the local disk, and on those of other machines
splits.py     which images are in which split
resident.py batches.py augment.py    what a trial sees, as tensors
module.py     the same as a LightningDataModule

`prepare` loads no torch, so that a driver, which trains nothing, stays small.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from actsweep.data.cache import cache_folder
from actsweep.data.sources import Source, download_ahead, prepare

if TYPE_CHECKING:
    from actsweep.data.batches import EVAL_BATCH, Batches, eval_batches, order_generator, training_batches
    from actsweep.data.module import DataModule
    from actsweep.data.resident import Data, Split, load

__all__ = [
    "EVAL_BATCH",
    "Batches",
    "Data",
    "DataModule",
    "Source",
    "Split",
    "cache_folder",
    "download_ahead",
    "eval_batches",
    "load",
    "order_generator",
    "prepare",
    "training_batches",
]

_WITH_TORCH = {
    "EVAL_BATCH": "batches",
    "Batches": "batches",
    "Data": "resident",
    "DataModule": "module",
    "Split": "resident",
    "eval_batches": "batches",
    "load": "resident",
    "order_generator": "batches",
    "training_batches": "batches",
}


def __getattr__(name: str) -> Any:
    """What needs torch is imported when it is asked for."""
    if name in _WITH_TORCH:
        return getattr(import_module(f"actsweep.data.{_WITH_TORCH[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
