"""A study's folder: the ledger that everything else is rebuilt from, and files that are written whole or not at all."""

from actsweep.records.attempt import Attempt, attempt_logs, latest_attempt
from actsweep.records.best import best_of_cells
from actsweep.records.files import write_whole
from actsweep.records.folder import BEST_WEIGHTS, LAST_WEIGHTS, RESUME_FILE, TRIAL_FILE, StudyFolder, read_trial
from actsweep.records.ledger import Ledger, LedgerContent, fold, read_ledger
from actsweep.records.lock import held, is_held, lock_of
from actsweep.records.opening import OpenedStudy, holds_study, open_study, opened_study, recorded_config
from actsweep.records.reader import LedgerReader, News
from actsweep.records.results_file import Results, read_results
from actsweep.records.stream import EventStream
from actsweep.records.table import curve_rows, curve_table, write_curves

__all__ = [
    "BEST_WEIGHTS",
    "LAST_WEIGHTS",
    "RESUME_FILE",
    "TRIAL_FILE",
    "Attempt",
    "EventStream",
    "Ledger",
    "LedgerContent",
    "LedgerReader",
    "News",
    "OpenedStudy",
    "Results",
    "StudyFolder",
    "attempt_logs",
    "best_of_cells",
    "curve_rows",
    "curve_table",
    "fold",
    "held",
    "holds_study",
    "is_held",
    "latest_attempt",
    "lock_of",
    "open_study",
    "opened_study",
    "read_ledger",
    "read_results",
    "read_trial",
    "recorded_config",
    "write_curves",
    "write_whole",
]
