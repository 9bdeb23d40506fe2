"""When a cell whose trials all fail alike is given up, so that the study spends its time on the others."""

import re
import time
from collections import Counter

from actsweep.events import CellGivenUp, CellKey, StudyRecord, cell_key
from actsweep.records import EventStream
from actsweep.study import Study, Trial

ALIKE = 3
_NUMBERS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+")  # also ids and addresses, which differ between equal errors


class GivingUp:
    """Counts the failures of each cell in this run of the driver, and says which trials are not worth beginning.

    Args:
        study: the study.
        stream: receives the cells that are given up; its record says which have results.
    """

    def __init__(self, study: Study, stream: EventStream) -> None:
        self._study = study
        self._stream = stream
        self._failures: Counter[tuple[CellKey, str]] = Counter()

    def failed(self, trial: Trial, message: str) -> None:
        """A trial has failed for good; after `ALIKE` like it, in a cell without a result, the cell is given up."""
        key = cell_key(trial.cell.values)
        alike = key, _NUMBERS.sub("#", message)
        self._failures[alike] += 1
        record = self._stream.record
        if self._failures[alike] >= ALIKE and key not in record.given_up and not _has_result(record, key):
            self._stream(CellGivenUp(trial.cell.values, self._failures[alike], message, time.time()))

    def skips(self, trial: Trial) -> bool:
        """Whether a trial is not worth beginning: its cell is given up, or nothing is left to compare it with."""
        given_up = self._stream.record.given_up
        return bool(given_up) and (cell_key(trial.cell.values) in given_up or not self._comparable)

    @property
    def _comparable(self) -> bool:
        """Whether in any stratum the reference and another arm may still have results."""
        left: dict[CellKey, set[bool]] = {}
        for cell in self._study.cells:
            if cell_key(cell.values) not in self._stream.record.given_up:
                (_, arm), *stratum = cell.values.items()
                left.setdefault(tuple(stratum), set()).add(arm == self._study.reference)
        return any(len(kinds) == 2 for kinds in left.values())


def _has_result(record: StudyRecord, key: CellKey) -> bool:
    return any(trial.has_result and cell_key(trial.started.cell) == key for trial in record.trials.values())
