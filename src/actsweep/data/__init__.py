"""Data sets: decoded once, split once, and then served in batches from memory that all trials of a machine share.

sources.py    each data set by its name, and `prepare`
digits.py cifar.py folder.py plugin.py    where their images come from: files, a download, arrays
origin.py     what these have in common
entry.py cache.py    decoded images on the local disk
splits.py     which images are in which split
resident.py batches.py augment.py    what a trial sees
"""

from actsweep.data.batches import Batches, eval_batches
from actsweep.data.cache import cache_folder
from actsweep.data.resident import Data, Split, load
from actsweep.data.sources import Source, prepare

__all__ = ["Batches", "Data", "Source", "Split", "cache_folder", "eval_batches", "load", "prepare"]
