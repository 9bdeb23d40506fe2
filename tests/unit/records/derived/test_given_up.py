"""What failed for good, in words."""

from actsweep.events import CellGivenUp, StudyRecord, StudyResumed, TrialFailed, TrialStarted
from actsweep.records.derived.given_up import given_up_warnings

CELL = {"model.activation": "tanh", "model.depth": 3}


def record_of(failures: int) -> StudyRecord:
    record = StudyRecord()
    for number in range(failures):
        for cell, first in ((CELL, "a"), ({**CELL, "model.depth": 2}, "b")):
            trial_id = f"{first}{number:011d}"
            record(TrialStarted(trial_id, 1, "tune", 0, 1, cell, {}, 0.0))
            record(TrialFailed(trial_id, 1, "error", "no", False, 1.0))
    record(CellGivenUp(CELL, 3, "ValueError: no", 2.0))
    return record


def test_a_cell_that_was_given_up_is_named_with_all_its_failures_and_their_message() -> None:
    assert given_up_warnings(record_of(4)) == ["tanh/3 was given up after 4 of its trials had failed: ValueError: no"]


def test_a_driver_that_goes_on_gives_every_cell_another_chance() -> None:
    record = record_of(3)
    record(StudyResumed(0, 3.0))
    assert given_up_warnings(record) == []
