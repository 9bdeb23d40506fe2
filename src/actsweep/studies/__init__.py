"""The studies at hand: how far they are, what a trial of theirs did, and what of them may go."""

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
