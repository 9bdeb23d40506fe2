"""Anyone's curves: files and data frames to checked trials, and from there the same analysis as a study of our own."""

from actsweep.tables.analyze import AnalyzeOptions, analyze
from actsweep.tables.read import read_frame, read_table
from actsweep.tables.table import Table
from actsweep.tables.trials import trial_curves

__all__ = ["AnalyzeOptions", "Table", "analyze", "read_frame", "read_table", "trial_curves"]
