"""A study's folder: the ledger that everything else is rebuilt from, and files that are written whole or not at all."""

from actsweep.records.folder import RESUME_FILE, StudyFolder, append_log, read_trial, write_whole
from actsweep.records.ledger import Ledger, LedgerContent, held, is_held, read_ledger
from actsweep.records.stream import EventStream
from actsweep.records.table import curve_rows, write_curves

__all__ = [
    "RESUME_FILE",
    "EventStream",
    "Ledger",
    "LedgerContent",
    "StudyFolder",
    "append_log",
    "curve_rows",
    "held",
    "is_held",
    "read_ledger",
    "read_trial",
    "write_curves",
    "write_whole",
]
