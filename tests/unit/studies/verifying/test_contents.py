"""What lies in a study's folder that no study has put there."""

import shutil
from pathlib import Path

from actsweep.records import StudyFolder
from actsweep.studies.verifying import verify_study
from spoiling import a_trial, failed, notes


class TestFolder:
    def test_links_are_findings_and_not_followed(self, study: StudyFolder, tmp_path: Path) -> None:
        shutil.move(study.results, tmp_path / "elsewhere")
        study.results.symlink_to(tmp_path / "elsewhere")
        found = verify_study(study.path)
        assert failed(found) == ["files", "folder"]
        assert [finding.file for finding in found.findings] == ["results.json", "results.json"]

    def test_a_link_in_the_place_of_a_trial(self, study: StudyFolder, tmp_path: Path) -> None:
        name = a_trial(study)
        shutil.move(study.trial(name), tmp_path / "elsewhere")
        study.trial(name).symlink_to(tmp_path / "elsewhere")
        assert "folder" in failed(verify_study(study.path))

    def test_what_is_none_of_the_study_is_told(self, study: StudyFolder) -> None:
        (study.path / "notes.txt").write_text("mine")
        (study.path / "trials" / "mine").mkdir()
        (study.trial(a_trial(study)) / "more").write_text("mine")
        (study.path / "wandb").mkdir()
        (study.path / ".results.json.x").write_text("half")
        found = verify_study(study.path)
        assert failed(found) == []
        said = notes(found).splitlines()
        assert "notes.txt is none of the study's files" in said
        assert "trials/mine is of no trial in the ledger" in said
        assert f"trials/{a_trial(study)}/more is none of the study's files" in said
        assert f"1 half-written file, as of .results.json.x; to remove: actsweep clean {study.path}" in said
        assert len(said) == 4
