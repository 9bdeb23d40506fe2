"""The studies at hand.

results.py      from the ledger to results.json, curves.parquet and report.html
status.py remaining.py listing.py    how far they are
detail.py show.py    what a trial of theirs did
verifying/      proof that ledger, curves and results agree
exporting.py fetching.py    their models as files, and copies of them elsewhere
cleaning.py     what of them may go
"""

from actsweep.studies.cleaning import Removal, clean_up
from actsweep.studies.detail import TrialDetail, find_trial
from actsweep.studies.fetching import copy_study, fetch_study, reach_copy
from actsweep.studies.listing import StudyEntry, latest_study, list_studies, verdict_counts
from actsweep.studies.remaining import Remaining, remaining_of
from actsweep.studies.status import StudyStatus, status_of

__all__ = [
    "Remaining",
    "Removal",
    "StudyEntry",
    "StudyStatus",
    "TrialDetail",
    "clean_up",
    "copy_study",
    "fetch_study",
    "find_trial",
    "latest_study",
    "list_studies",
    "reach_copy",
    "remaining_of",
    "status_of",
    "verdict_counts",
]
