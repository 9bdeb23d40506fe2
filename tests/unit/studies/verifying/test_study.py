"""A whole study: undisturbed, interrupted, and as the command tells of it."""

import json
from pathlib import Path

import pytest

from actsweep.cli import run
from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Attempt, Ledger, StudyFolder, held
from actsweep.studies.results import rebuilt
from actsweep.studies.verifying import verify_study
from actsweep.train.checkpoint import ResumeFile
from spoiling import events_of, failed, forge, notes, spoil


def test_everything_of_an_undisturbed_study_agrees(study: StudyFolder) -> None:
    found = verify_study(study.path)
    assert (found.findings, notes(found), found.state) == ((), "", "finished")
    names = ["ledger", "settings", "trials", "choices", "weights", "checkpoints", "curves", "results", "report"]
    assert [check.name for check in found.checks] == [*names, "mirror", "folder"]


def test_nothing_is_written(study: StudyFolder) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in study.path.rglob("*")}
    verify_study(study.path)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in study.path.rglob("*")} == before


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RecordsError, match="holds no study"):
            verify_study(path)


class TestInterrupted:
    @pytest.fixture
    def study(self, study: StudyFolder) -> StudyFolder:
        """The study as a driver that was killed left it: its last trial has a checkpoint, and no end."""
        events = events_of(study)
        forge(study, (e for e in events[:-2]))
        for file in (study.curves, study.results, study.report):
            file.unlink()
        name = self.last(study)
        for weights in study.trial(name).glob("*.ckpt"):
            weights.unlink()
        ResumeFile(Attempt(study.trial(name)), name).save_checkpoint({"rows": []}, None)
        return study

    def last(self, study: StudyFolder) -> str:
        return [event.trial_id for event in events_of(study) if isinstance(event, TrialStarted)][-1]

    def test_what_it_has_agrees_and_what_it_lacks_is_told(self, study: StudyFolder) -> None:
        found = verify_study(study.path)
        assert (found.state, failed(found)) == ("interrupted", [])
        assert f"to make them: actsweep report {study.path}" in notes(found)
        assert any(check.said == "1 trial to go on from" for check in found.checks)

    def test_a_damaged_checkpoint(self, study: StudyFolder) -> None:
        spoil(study.trial(self.last(study)) / "resume.ckpt")
        assert failed(verify_study(study.path)) == ["checkpoints"]

    def test_a_checkpoint_of_another_trial_but_not_one_of_another_version(self, study: StudyFolder) -> None:
        name = self.last(study)
        file = study.trial(name) / "resume.ckpt"
        whole = file.read_bytes()
        file.write_bytes(whole.replace(name.encode(), b"0123456789ab", 1))
        assert failed(verify_study(study.path)) == ["checkpoints"]
        file.write_bytes(whole.replace(f"{name}/".encode(), f"{name}/0.1+".encode(), 1))
        assert failed(verify_study(study.path)) == []

    def test_results_agree_however_the_folder_is_called(
        self, study: StudyFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rebuilt(study)
        monkeypatch.chdir(study.path.parent)
        assert failed(verify_study(Path("smoke"))) == []

    def test_results_of_an_earlier_moment_are_found(self, study: StudyFolder) -> None:
        rebuilt(study)
        last = events_of(study)[-1]
        assert isinstance(last, Evaluation)
        with Ledger(study.ledger) as ledger:
            ledger(TrialFinished(last.trial_id, 1, "completed", {"test_acc": 0.5}, 5.0))
        assert {"curves", "results", "report"} <= set(failed(verify_study(study.path)))

    def test_before_any_trial_has_ended_there_can_be_no_results(self, study: StudyFolder) -> None:
        forge(study, events_of(study)[:2])
        assert failed(verify_study(study.path)) == ["mirror"]
        study.optuna.unlink()
        found = verify_study(study.path)
        assert failed(found) == []
        assert "no trial has ended yet" in notes(found)
        study.results.write_text("{}")
        assert failed(verify_study(study.path)) == ["results"]


class TestCommand:
    def test_exit_code_and_lines_say_what_does_not_agree(
        self, study: StudyFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(study.path.parent)
        assert run(["verify", "smoke"]) == 0
        assert "smoke: finished; all of it agrees" in capsys.readouterr().out
        study.report.unlink()
        assert run(["verify", "smoke"]) == 2
        shown = capsys.readouterr().out
        assert "report.html: is missing\n  to mend it: actsweep report smoke\n" in shown
        assert "1 thing does not agree" in shown

    def test_json_says_the_same(self, study: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
        study.report.unlink()
        assert run(["verify", str(study.path), "--json"]) == 2
        told = json.loads(capsys.readouterr().out)
        assert (told["state"], told["agrees"]) == ("finished", False)
        (finding,) = (finding for check in told["checks"] for finding in check["findings"])
        assert finding.keys() == {"file", "problem", "mend", "place"}

    def test_a_running_study_is_verified_as_far_as_it_is(
        self, study: StudyFolder, capsys: pytest.CaptureFixture[str]
    ) -> None:
        study.results.write_text("{}")
        with held(study.ledger):
            assert run(["verify", str(study.path)]) == 0
        assert "a sweep is running here; it was verified as far as it is" in capsys.readouterr().out
