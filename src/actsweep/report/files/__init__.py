"""Parts of the report as files of their own: figures for papers, tables for other programs, runs for TensorBoard."""

from actsweep.report.files.figures import FIGURE_FORMATS, write_figures
from actsweep.report.files.tables import TABLE_FORMATS, write_tables
from actsweep.report.files.tensorboard import write_tensorboard

__all__ = ["FIGURE_FORMATS", "TABLE_FORMATS", "write_figures", "write_tables", "write_tensorboard"]
