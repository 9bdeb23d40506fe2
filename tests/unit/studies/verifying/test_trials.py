"""Settings, trials and weights, each spoiled by itself: the check of that file fails, and no other."""

from dataclasses import replace

import pytest

from actsweep.events import (
    TrialFinished,
    TrialStarted,
)
from actsweep.records import StudyFolder, best_of_cells, read_ledger
from actsweep.studies.verifying import verify_study
from spoiling import a_trial, events_of, failed, forge, notes, spoil


class TestSettings:
    def test_one_that_results_depend_on_is_named_with_both_values(self, study: StudyFolder) -> None:
        study.config_file.write_text(study.config_file.read_text().replace("epochs: 1", "epochs: 2"))
        found = verify_study(study.path)
        (finding,) = found.findings
        assert failed(found) == ["settings"]
        assert (finding.place, finding.problem) == ("trainer.epochs", "is 2, in the ledger 1")

    def test_where_and_how_it_runs_may_be_changed(self, study: StudyFolder) -> None:
        study.config_file.write_text(study.config_file.read_text().replace("retries: 2", "retries: 3"))
        found = verify_study(study.path)
        assert failed(found) == []
        assert "study.yaml, cluster.retries: 3, in the ledger 2" in notes(found)

    @pytest.mark.parametrize("content", [None, "a: ["])
    def test_a_file_that_is_lost_or_damaged_is_made_anew_by_resume(
        self, study: StudyFolder, content: str | None
    ) -> None:
        study.config_file.unlink()
        if content is not None:
            study.config_file.write_text(content)
        found = verify_study(study.path)
        assert failed(found) == ["settings"]
        assert found.findings[0].mend == f"actsweep resume {study.path} makes it anew from the ledger"


class TestTrials:
    def test_an_id_is_that_of_settings_seed_and_images(self, study: StudyFolder) -> None:
        forge(study, (replace(e, seed=e.seed + 1) if isinstance(e, TrialStarted) else e for e in events_of(study)))
        assert "trials" in failed(verify_study(study.path))
        started, *others = events_of(study)
        forge(study, [replace(started, data={**started.data, "fingerprint": "other"}), *others])  # type: ignore[union-attr, type-var]
        assert "trials" in failed(verify_study(study.path))

    def test_a_trial_of_no_cell_is_named(self, study: StudyFolder) -> None:
        name = a_trial(study, "tune")
        forged = (
            replace(e, cell={**e.cell, "model.depth": 9}) if isinstance(e, TrialStarted) and e.trial_id == name else e
            for e in events_of(study)
        )
        forge(study, forged)
        found = verify_study(study.path)
        assert failed(found) == ["trials"]
        assert [finding.place for finding in found.findings] == [f"trial {name}"]

    def test_a_changed_trial_yaml(self, study: StudyFolder) -> None:
        file = study.trial(a_trial(study)) / "trial.yaml"
        file.write_text(file.read_text().replace("width: 4", "width: 5"))
        found = verify_study(study.path)
        (finding,) = found.findings
        assert failed(found) == ["trials"]
        assert (finding.place, finding.problem) == ("model.width", "is 5, by the ledger 4")
        assert finding.file == str(file.relative_to(study.path))

    def test_what_no_result_depends_on_is_only_told(self, study: StudyFolder) -> None:
        file = study.trial(a_trial(study)) / "trial.yaml"
        file.write_text(file.read_text().replace("trial_timeout: null", "trial_timeout: 9.0"))
        found = verify_study(study.path)
        assert failed(found) == []
        assert "trainer.trial_timeout: is 9.0, by the ledger None" in notes(found)

    def test_a_missing_and_a_damaged_trial_yaml(self, study: StudyFolder) -> None:
        missing, damaged = (study.trial(a_trial(study, phase)) / "trial.yaml" for phase in ("replicate", "tune"))
        missing.unlink()
        damaged.write_text("a: [")
        found = verify_study(study.path)
        problems = {study.path / finding.file: finding.problem for finding in found.findings}
        assert failed(found) == ["trials"]
        assert problems.keys() == {missing, damaged}
        assert problems[missing] == "is missing"
        assert problems[damaged].startswith("is damaged: ")


class TestWeights:
    def test_a_changed_file(self, study: StudyFolder) -> None:
        file = study.trial(a_trial(study)) / "best.ckpt"
        spoil(file)
        found = verify_study(study.path)
        assert failed(found) == ["weights"]
        assert found.findings[0].file == str(file.relative_to(study.path))

    def test_weights_that_were_cleaned_away_are_told_but_those_of_the_best_trials_are_missed(
        self, study: StudyFolder
    ) -> None:
        best = set(best_of_cells(read_ledger(study.ledger).fold()))
        for name in {path.name for path in (study.path / "trials").iterdir()} - best:
            for weights in study.trial(name).glob("*.ckpt"):
                weights.unlink()
        found = verify_study(study.path)
        assert failed(found) == []
        assert "the weights of 6 trials are gone, as after actsweep clean --checkpoints" in notes(found)
        (study.trial(min(best)) / "last.ckpt").unlink()
        (study.trial(min(best)) / "best.ckpt").unlink()
        assert [finding.problem for finding in verify_study(study.path).findings] == ["is missing"] * 2

    def test_without_recorded_digests_they_are_loaded(self, study: StudyFolder) -> None:
        forge(study, (replace(e, weights={}) if isinstance(e, TrialFinished) else e for e in events_of(study)))
        found = verify_study(study.path)
        assert failed(found) == []
        assert "16 files of trials without recorded digests: only loaded" in notes(found)
        (study.trial(a_trial(study)) / "last.ckpt").write_bytes(b"no weights")
        assert "cannot be loaded" in verify_study(study.path).findings[0].problem
