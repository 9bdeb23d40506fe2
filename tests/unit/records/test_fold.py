"""What the events of a ledger lead to."""

from dataclasses import replace
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    StudyResumed,
)
from actsweep.records import LedgerContent, read_ledger
from ledgers import EVENTS, START, write


class TestFold:
    def test_a_new_attempt_starts_from_nothing(self, tmp_path: Path) -> None:
        second = replace(START, attempt=2)
        late = Evaluation(START.trial_id, 1, {"epoch": 2, "val_acc": 0.9}, 9.0)
        row = Evaluation(START.trial_id, 2, {"epoch": 0, "val_acc": 0.2}, 9.0)
        write(tmp_path / "l.jsonl", [*EVENTS[:5], second, late, row])
        record = read_ledger(tmp_path / "l.jsonl").fold()
        trial = record.trials[START.trial_id]
        assert (trial.status, trial.rows) == ("running", [row.row])

    def test_the_end_counts_for_its_own_attempt_only(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", EVENTS)
        trial = read_ledger(tmp_path / "l.jsonl").fold().trials[START.trial_id]
        assert (trial.status, trial.has_result) == ("waiting", False)

    def test_a_study_is_finished_until_it_is_resumed(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", EVENTS)
        assert read_ledger(tmp_path / "l.jsonl").fold().finished
        write(tmp_path / "l.jsonl", [StudyResumed(1, 9.0)])
        assert not read_ledger(tmp_path / "l.jsonl").fold().finished

    def test_what_a_lost_driver_left_running_waits_for_another_attempt(self, tmp_path: Path) -> None:
        write(tmp_path / "l.jsonl", [START, StudyResumed(0, 9.0)])
        assert read_ledger(tmp_path / "l.jsonl").fold().trials[START.trial_id].status == "waiting"


def test_a_line_whose_beginning_is_missing_is_noticed() -> None:
    with pytest.raises(RecordsError, match="line 1 is of trial 'abc', which has not begun"):
        LedgerContent((Evaluation("abc", 1, {"epoch": 0}, 0.0),), 0).fold()
