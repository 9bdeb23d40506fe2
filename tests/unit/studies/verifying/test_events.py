"""The ledger, and what was chosen by it, spoiled: its check fails, and no other."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyStarted,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import StudyFolder
from actsweep.studies.verifying import verify_study
from spoiling import events_of, failed, forge, notes


class TestLedger:
    def test_a_changed_line_is_named_with_its_byte_and_the_way_to_keep_what_is_before(self, study: StudyFolder) -> None:
        lines = study.ledger.read_bytes().splitlines(keepends=True)
        byte = len(lines[0] + lines[1])
        study.ledger.write_bytes(b"".join([*lines[:2], lines[2].replace(b"1", b"2", 1), *lines[3:]]))
        found = verify_study(study.path)
        (finding,) = found.findings
        assert (found.state, failed(found)) == ("damaged", ["ledger"])
        assert finding.place == f"line 3 (byte {byte})"
        assert f"truncate -s {byte} {study.ledger}, then actsweep resume {study.path}" in finding.mend
        study.ledger.write_bytes(study.ledger.read_bytes()[:byte])
        assert "ledger" not in failed(verify_study(study.path))

    def test_a_torn_last_line_is_told(self, study: StudyFolder) -> None:
        with study.ledger.open("ab") as file:
            file.write(b'{"v":2')
        found = verify_study(study.path)
        assert "ledger" not in failed(found)
        assert "its last 6 bytes are a line cut off in writing" in notes(found)

    def test_one_that_is_missing_or_a_link_is_not_read(self, study: StudyFolder, tmp_path: Path) -> None:
        shutil.move(study.ledger, tmp_path / "elsewhere")
        assert failed(verify_study(study.path)) == ["ledger"]
        study.ledger.symlink_to(tmp_path / "elsewhere")
        assert failed(verify_study(study.path)) == ["ledger", "folder"]

    @pytest.mark.parametrize(
        ("kind", "problem"),
        [
            (TrialFinished, "finished after its end"),
            (Evaluation, "epoch 0 after epoch 0"),
            (TrialStarted, "begins after attempt 1"),
            (StudyStarted, "the study begins a second time"),
        ],
    )
    def test_what_happens_twice_is_named(self, study: StudyFolder, kind: type[Event], problem: str) -> None:
        events = events_of(study)
        index = next(index for index, event in enumerate(events) if isinstance(event, kind))
        forge(study, [*events[: index + 1], *events[index:]])
        found = verify_study(study.path)
        assert (found.state, failed(found)) == ("damaged", ["ledger"])
        assert problem in found.findings[0].problem
        assert found.findings[0].place == f"line {index + 2}"

    def test_a_trial_with_a_result_does_not_begin_again(self, study: StudyFolder) -> None:
        events = events_of(study)
        start = next(event for event in events if isinstance(event, TrialStarted))
        forge(study, [*events, replace(start, attempt=2)])
        assert "begins again, though the trial has a result" in verify_study(study.path).findings[0].problem

    def test_a_study_that_has_not_begun_has_nothing_to_compare(self, study: StudyFolder) -> None:
        study.ledger.write_bytes(b"")
        found = verify_study(study.path)
        assert failed(found) == []
        assert found.state == "interrupted"


class TestChoices:
    def test_what_is_chosen_is_the_best_of_the_block(self, study: StudyFolder) -> None:
        events = events_of(study)
        chosen = [e.nuisance for e in events if isinstance(e, PointChosen)]
        others = {e.trial_id for e in events if isinstance(e, TrialStarted) and e.nuisance not in chosen}
        better = (
            replace(e, row={**e.row, "val_acc": 0.99}) if isinstance(e, Evaluation) and e.trial_id in others else e
            for e in events
        )
        forge(study, better)
        (check,) = (check for check in verify_study(study.path).checks if check.name == "choices")
        assert any("another point to 0.99" in finding.problem for finding in check.findings)
        forge(study, (replace(e, nuisance={"optimizer.lr": 0.5}) if isinstance(e, PointChosen) else e for e in events))
        problems = [finding.problem for finding in verify_study(study.path).findings if finding.place == "chosen"]
        assert all("was not tried" in problem for problem in problems)
        assert len(problems) == 2
