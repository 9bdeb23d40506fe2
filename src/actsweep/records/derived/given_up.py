"""The cells that were given up, in the words of the report."""

from actsweep.events import CellKey, StudyRecord, cell_key
from actsweep.study import cell_label


def given_up_warnings(record: StudyRecord) -> list[str]:
    """A sentence for each cell that was given up: after how many failures, and with what message."""
    return [
        f"{cell_label(dict(key))} was given up after {_failures(record, key)} of its trials had failed: {message}"
        for key, message in record.given_up.items()
    ]


def _failures(record: StudyRecord, key: CellKey) -> int:
    trials = record.trials.values()
    return sum(trial.status == "failed" and cell_key(trial.started.cell) == key for trial in trials)
