"""A small finished study, each of its files spoiled by itself: the check of that file fails, and no other."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from actsweep.cli import run
from actsweep.data import Source, load, prepare
from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyFinished,
    StudyStarted,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Attempt, Ledger, StudyFolder, best_of_cells, held, read_ledger
from actsweep.search.mirror import Mirror
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.settings import StudyConfig
from actsweep.studies.results import rebuild
from actsweep.studies.verifying import Verification, verify_study
from actsweep.study import Study, Trial
from actsweep.train import train
from actsweep.train.checkpoint import ResumeFile

Compose = Callable[..., StudyConfig]
WORDS = ("experiment=smoke", "tracker=none", "trainer.epochs=1", "data.train=64", "data.val=64", "data.test=64")


@pytest.fixture(scope="module")
def finished(compose: Compose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run in this process: the real queue, training and records, without Ray."""
    config = compose(*WORDS)
    source = prepare(config.data)
    study = Study(config, source.fingerprint)
    folder = StudyFolder(tmp_path_factory.mktemp("finished") / "smoke")
    folder.write_config(config)
    data = {"label": source.label, "fingerprint": source.fingerprint, "classes": len(source.classes)}
    with Ledger(folder.ledger) as ledger:
        ledger(StudyStarted("smoke", data, {}, config.model_dump(mode="json"), 1.0))
        queue = TrialQueue(study, lambda trial: None, ledger)
        while (trial := queue.next()) is not None:
            queue.end(trial.trial_id, Outcome(trained(trial, source, folder, ledger)))
        ledger(StudyFinished(9.0))
    Mirror(study, folder, read_ledger(folder.ledger).fold()).close()
    rebuild(folder)
    return folder.path


def trained(trial: Trial, source: Source, folder: StudyFolder, ledger: Ledger) -> float:
    """Train a trial as a worker does, and record it as the driver does; its best validation accuracy."""
    name, start = trial.trial_id, (trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance)
    attempt = Attempt(folder.trial(name))
    attempt.begin()
    folder.write_trial(name, trial.config)
    ledger(TrialStarted(name, 1, *start, 2.0))
    data = load(source, trial.config.data)
    curve = train(trial.config, data, lambda row: ledger(Evaluation(name, 1, row, 3.0)), attempt)
    final = {"test_acc": curve.test_acc, "test_loss": curve.test_loss, "best_test_acc": curve.best_test_acc}
    ledger(TrialFinished(name, 1, curve.status, final, 4.0, attempt.weights))  # type: ignore[arg-type]
    return float(curve.val_acc.max())


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(finished, tmp_path / "smoke")))


def failed(found: Verification) -> list[str]:
    """The checks that failed."""
    return [check.name for check in found.checks if check.findings]


def notes(found: Verification) -> str:
    return "\n".join(note for check in found.checks for note in check.notes)


def events_of(study: StudyFolder) -> list[Event]:
    return list(read_ledger(study.ledger).events)


def forge(study: StudyFolder, events: Iterable[Event]) -> None:
    """Another ledger, whole in itself."""
    events = list(events)
    study.ledger.unlink()
    with Ledger(study.ledger) as ledger:
        ledger(*events)


def a_trial(study: StudyFolder, phase: str = "replicate") -> str:
    return next(e.trial_id for e in events_of(study) if isinstance(e, TrialStarted) and e.phase == phase)


def spoil(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)


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
        rebuild(study)
        monkeypatch.chdir(study.path.parent)
        assert failed(verify_study(Path("smoke"))) == []

    def test_results_of_an_earlier_moment_are_found(self, study: StudyFolder) -> None:
        rebuild(study)
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


class TestCurves:
    def rewrite(self, study: StudyFolder, change: Callable[[pa.Table], pa.Table], **options: str) -> None:
        pq.write_table(change(pq.read_table(study.curves)), study.curves, **options)

    def put(self, table: pa.Table, column: str, values: pa.Array) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, values)

    def test_a_changed_cell_is_named(self, study: StudyFolder) -> None:
        self.rewrite(study, lambda table: self.put(table, "wall", pc.add(table["wall"], 1e-9)))
        found = verify_study(study.path)
        assert failed(found) == ["curves"]
        assert found.findings[0].place == "row 1, wall"

    def test_a_null_is_no_nan(self, study: StudyFolder) -> None:
        self.rewrite(study, lambda table: self.put(table, "test_acc", pc.fill_null(table["test_acc"], float("nan"))))
        found = verify_study(study.path)
        assert failed(found) == ["curves"]
        assert found.findings[0].problem == "is nan, by the ledger None"

    def test_a_nan_is_one_wherever_it_was_written(self, study: StudyFolder) -> None:
        forged = (
            replace(e, row={**e.row, "train_loss": float("nan")}) if isinstance(e, Evaluation) else e
            for e in events_of(study)
        )
        forge(study, forged)
        rebuild(study)
        self.rewrite(study, lambda table: table, compression="none")
        assert "curves" not in failed(verify_study(study.path))

    @pytest.mark.parametrize(
        "change",
        [
            lambda table: table.slice(1),
            lambda table: table.drop_columns(["wall"]),
            lambda table: table.append_column("more", table["wall"]),
            lambda table: table.set_column(0, "trial_id", table["trial_id"].cast(pa.binary())),
        ],
    )
    def test_rows_and_columns_too_many_or_too_few_are_found(
        self, study: StudyFolder, change: Callable[[pa.Table], pa.Table]
    ) -> None:
        self.rewrite(study, change)
        assert failed(verify_study(study.path)) == ["curves"]

    def test_a_file_that_is_no_table_is_found(self, study: StudyFolder) -> None:
        study.curves.write_bytes(b"PAR1")
        assert failed(verify_study(study.path)) == ["curves"]


class TestResults:
    def test_a_changed_number_is_named(self, study: StudyFolder) -> None:
        results = json.loads(study.results.read_text())
        results["cells"][0]["n"] += 1
        study.results.write_text(json.dumps(results))
        found = verify_study(study.path)
        assert failed(found) == ["results"]
        assert found.findings[0].place == "cells[0].n"
        assert found.findings[0].mend == f"actsweep report {study.path}"

    @pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"study": 3, "cells": 3, "verdicts": {}}'])
    def test_a_file_that_holds_no_results_is_found(self, study: StudyFolder, content: str) -> None:
        study.results.write_text(content)
        assert failed(verify_study(study.path)) == ["results"]

    @pytest.mark.parametrize("name", ["curves", "results", "report"])
    def test_a_missing_file(self, study: StudyFolder, name: str) -> None:
        file: Path = getattr(study, name)
        file.unlink()
        found = verify_study(study.path)
        assert failed(found) == ["files"]
        assert found.findings[0].file == file.name

    def test_a_folder_may_have_another_name(self, study: StudyFolder) -> None:
        moved = study.path.rename(study.path.with_name("moved"))
        assert failed(verify_study(moved)) == []

    def test_the_page_is_that_of_the_results(self, study: StudyFolder) -> None:
        spoil(study.report, at=0.999)
        found = verify_study(study.path)
        assert failed(found) == ["report"]
        assert found.findings[0].place.startswith("line ")


class TestMirror:
    def test_a_damaged_one_can_be_made_anew(self, study: StudyFolder) -> None:
        study.optuna.write_bytes(b"none" * 5000)
        found = verify_study(study.path)
        assert failed(found) == ["mirror"]
        assert f"rm {study.optuna}, then actsweep resume {study.path}" in found.findings[0].mend

    def test_without_one_only_optunas_tools_lack_something(self, study: StudyFolder) -> None:
        study.optuna.unlink()
        found = verify_study(study.path)
        assert failed(found) == []
        assert "only Optuna's own tools need optuna.db" in notes(found)


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
