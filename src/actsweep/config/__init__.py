"""From `conf/` and the words of a command line to validated settings; the only place that knows Hydra."""

from actsweep.config.composing import compose, run_with_hydra
from actsweep.config.known import config_folder
from actsweep.config.words import HYDRA_OPTIONS

__all__ = ["HYDRA_OPTIONS", "compose", "config_folder", "run_with_hydra"]
