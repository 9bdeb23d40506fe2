"""A study's folder: the ledger that everything else is rebuilt from, and files that are written whole or not at all."""

from actsweep.records.folder import StudyFolder, write_whole
from actsweep.records.ledger import Ledger, LedgerContent, read_ledger
from actsweep.records.stream import EventStream
from actsweep.records.table import curve_rows, write_curves

__all__ = [
    "EventStream",
    "Ledger",
    "LedgerContent",
    "StudyFolder",
    "curve_rows",
    "read_ledger",
    "write_curves",
    "write_whole",
]
