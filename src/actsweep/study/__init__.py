"""A study as lists of trials: cells from the scientific settings, three phases, and the identity of each trial."""

from actsweep.study.cells import ARM, Cell, cell_label, swept_paths
from actsweep.study.extension import Change, Extension, extension
from actsweep.study.identity import PHASES, Phase, all_settings, changed_settings, trial_id, trial_seed
from actsweep.study.study import Study, Trial, in_share

__all__ = [
    "ARM",
    "PHASES",
    "Cell",
    "Change",
    "Extension",
    "Phase",
    "Study",
    "Trial",
    "all_settings",
    "cell_label",
    "changed_settings",
    "extension",
    "in_share",
    "swept_paths",
    "trial_id",
    "trial_seed",
]
