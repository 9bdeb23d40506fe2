"""Data sets: decoded once, split once, and then served in batches from memory that all trials of a machine share."""

from actsweep.data.batches import Batches, eval_batches
from actsweep.data.resident import Data, Split, load
from actsweep.data.sources import Source, prepare

__all__ = ["Batches", "Data", "Source", "Split", "eval_batches", "load", "prepare"]
