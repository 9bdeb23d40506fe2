"""Studies at hand, from folders as a sweep leaves them, undisturbed, killed or damaged."""

import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyFinished,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Ledger, StudyFolder, held
from actsweep.settings import StudyConfig
from actsweep.studies import clean_up, find_trial, latest_study, list_studies, remaining_of, status_of
from actsweep.studies.show import remaining_text, status_text, studies_table, trial_text
from actsweep.study import Study

Compose = Callable[..., StudyConfig]
HOSTILE = "[red]x[/red] \x1b[31m"


def shown(renderable: RenderableType) -> str:
    console = Console(file=StringIO(), width=100)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def events_of(study: Study) -> list[Event]:
    """Two replicates of each cell have ended, a tune trial has failed, another has begun."""
    events: list[Event] = [StudyStarted("smoke", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 1.0)]

    def start(trial_id: str, phase: str, cell: int) -> None:
        values = study.cells[cell].values
        events.append(TrialStarted(trial_id, 1, phase, 0, 7, values, {"optimizer.lr": 0.01}, 2.0))  # type: ignore[arg-type]

    def rows(trial_id: str, accuracy: float) -> None:
        for epoch in range(3):
            row = {"epoch": epoch, "step": epoch, "train_loss": 1.0, "train_acc": 0.5, "val_loss": 1.0}
            events.append(Evaluation(trial_id, 1, {**row, "val_acc": accuracy * epoch / 2, "seconds": 0.1}, 3.0))

    for cell in range(2):
        events.append(PointChosen(study.cells[cell].values, 0, {"optimizer.lr": 0.01}, 2.0))
        for number, accuracy in enumerate((0.5, 0.9)):
            trial_id = f"{cell}{number}".ljust(12, "a")
            start(trial_id, "replicate", cell)
            rows(trial_id, accuracy)
            final = {"test_acc": accuracy, "test_loss": 1.0, "best_test_acc": accuracy}
            events.append(TrialFinished(trial_id, 1, "completed", final, 4.0))
    start("fa" + "0" * 10, "tune", 0)
    events.append(TrialFailed("fa" + "0" * 10, 1, "error", HOSTILE, False, 5.0))
    start("5e" + "0" * 10, "tune", 1)
    return events


@pytest.fixture
def study(compose: Compose, tmp_path: Path) -> StudyFolder:
    """A study that was killed."""
    folder = StudyFolder(tmp_path / "outputs" / "smoke")
    config = compose("experiment=smoke")
    folder.write_config(config)
    with Ledger(folder.ledger) as ledger:
        for event in events_of(Study(config)):
            ledger(event)
            if isinstance(event, TrialStarted):
                folder.trial(event.trial_id).mkdir(parents=True)
    for trial in (folder.path / "trials").iterdir():
        for name in ("last.ckpt", "best.ckpt", "resume.ckpt", "trial.yaml"):
            (trial / name).write_bytes(b"12345")
    (folder.trial("fa" + "0" * 10) / "attempt-1.log").write_text(f"Traceback (most recent call last):\n  {HOSTILE}\n")
    return folder


class TestStatus:
    def test_a_killed_study_is_interrupted_and_so_are_its_trials(self, study: StudyFolder) -> None:
        status = status_of(study.path)
        assert (status.state, status.sum("done"), status.sum("failed")) == ("interrupted", 4, 1)
        text = shown(status_text(status))
        assert "to go on: actsweep resume" in text
        assert "interrupted" in text
        assert "running" not in text

    def test_a_study_whose_lock_is_held_runs(self, study: StudyFolder) -> None:
        with held(study.ledger):
            assert status_of(study.path).state == "running"
        assert status_of(study.path).state == "interrupted"

    def test_a_finished_study_is_finished(self, study: StudyFolder) -> None:
        with Ledger(study.ledger) as ledger:
            ledger(StudyFinished(9.0))
        assert status_of(study.path).state == "finished"

    def test_where_the_ledger_stands_in_for_the_settings_that_is_told(self, study: StudyFolder) -> None:
        begin_with_settings(study)
        assert "of the ledger" not in shown(status_text(status_of(study.path)))
        study.config_file.unlink()
        text = shown(status_text(status_of(study.path)))
        assert "study.yaml is missing; the settings are those of the ledger" in " ".join(text.split())


def begin_with_settings(study: StudyFolder) -> None:
    """Begin the study anew, as a driver does: with its settings in the ledger."""
    settings = study.read_config().model_dump(mode="json")
    study.ledger.unlink()
    with Ledger(study.ledger) as ledger:
        ledger(StudyStarted("smoke", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, settings, 1.0))


class TestWhatIsLeft:
    def test_each_trial_that_has_begun_is_told_with_how_it_goes_on(self, study: StudyFolder) -> None:
        remaining = remaining_of(study.path)
        assert remaining.trials == remaining.status.sum("total") - 4
        assert [(one.trial_id[:2], one.phase, one.state, one.epoch) for one in remaining.begun] == [
            ("fa", "tune", "failed", None),
            ("5e", "tune", "interrupted", None),
        ]

    def test_one_goes_on_after_its_last_evaluation_if_its_checkpoint_is_there(self, study: StudyFolder) -> None:
        name = "5e" + "0" * 10
        with Ledger(study.ledger) as ledger:
            row = {"epoch": 3, "step": 3, "train_loss": 1.0, "train_acc": 0.5, "val_loss": 1.0, "val_acc": 0.5}
            ledger(Evaluation(name, 1, {**row, "seconds": 0.1}, 3.0))
        assert [one.epoch for one in remaining_of(study.path).begun] == [None, 3]
        assert "after epoch 3" in shown(remaining_text(remaining_of(study.path)))
        (study.trial(name) / "resume.ckpt").unlink()
        assert [one.epoch for one in remaining_of(study.path).begun] == [None, None]

    def test_the_last_line_says_how_many_and_which_command_runs_them(self, study: StudyFolder) -> None:
        remaining = remaining_of(study.path)
        said = " ".join(shown(remaining_text(remaining)).split())
        assert said.endswith(f"{remaining.trials} trials to run; to run them: actsweep resume {study.path}")

    def test_nothing_is_written_and_a_driver_is_not_in_the_way(self, study: StudyFolder) -> None:
        with held(study.ledger):
            before = {path: path.stat().st_mtime_ns for path in study.path.rglob("*")}
            assert "a sweep is running here" in shown(remaining_text(remaining_of(study.path)))
            assert before == {path: path.stat().st_mtime_ns for path in study.path.rglob("*")}


class TestList:
    def test_damaged_studies_are_listed_beside_the_others(self, study: StudyFolder) -> None:
        root = study.path.parent
        shutil.copytree(study.path, root / "torn")
        ledger = root / "torn" / "ledger.jsonl"
        ledger.write_bytes(ledger.read_bytes().replace(b"digits", b"digitz"))
        (root / "empty").mkdir()
        found = {entry.name: entry for entry in list_studies(root)}
        assert found.keys() == {"smoke", "torn"}
        assert (found["smoke"].state, found["smoke"].done, found["smoke"].planned) == ("interrupted", 4, 6)
        assert found["torn"].state == "damaged"
        assert "checksum" in found["torn"].damage
        assert found["smoke"].as_json()["trials"] == {"done": 4, "failed": 1, "planned": 6}
        assert "damaged" in shown(studies_table(list(found.values()), root))

    @pytest.mark.parametrize("file", ["study.yaml", "ledger.jsonl", "results.json"])
    @pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b"[]", b"a: &a [*a]", b'{"verdicts": 3}\n'])
    def test_whatever_a_file_holds_the_list_is_shown(self, study: StudyFolder, file: str, content: bytes) -> None:
        (study.path / file).write_bytes(content)
        (entry,) = list_studies(study.path.parent)
        assert (entry.state == "damaged") == bool(entry.damage)
        assert entry.name in shown(studies_table([entry], study.path.parent))

    def test_the_latest_is_the_one_last_written(self, study: StudyFolder, compose: Compose) -> None:
        other = StudyFolder(study.path.parent / "other")
        other.write_config(compose("experiment=smoke"))
        assert latest_study(study.path.parent) == other.path


class TestShow:
    def test_a_prefix_suffices_and_what_files_say_is_escaped(self, study: StudyFolder) -> None:
        text = shown(trial_text(find_trial(study.path, "fa")))
        assert "failed: [red]x[/red]" in text
        assert "Traceback (most recent call last)" in text
        assert "\x1b" not in text

    def test_the_logs_of_all_attempts_are_shown_in_order_but_none_from_elsewhere(
        self, study: StudyFolder, tmp_path: Path
    ) -> None:
        trial = study.trial("fa" + "0" * 10)
        for number in (10, 9):
            (trial / f"attempt-{number}.log").write_text(f"number {number}\n")
        (tmp_path / "elsewhere").write_text("not ours")
        (trial / "attempt-2.log").symlink_to(tmp_path / "elsewhere")
        log = find_trial(study.path, "fa").log
        assert log.startswith("Traceback")
        assert log.endswith("number 9\nnumber 10\n")
        assert "not ours" not in log

    def test_curve_and_measures_of_a_finished_trial(self, study: StudyFolder) -> None:
        detail = find_trial(study.path, "01")
        assert detail.measures["best_val_acc"] == 0.9
        assert "0.4500" in shown(trial_text(detail))

    def test_a_running_trial_of_a_killed_study_is_interrupted(self, study: StudyFolder) -> None:
        assert find_trial(study.path, "5e").status == "interrupted"

    @pytest.mark.parametrize(
        ("prefix", "message"), [("0", "several trials begin so"), ("zz", "no trial begins so"), ("", "no trial")]
    )
    def test_a_prefix_must_fit_one_trial(self, study: StudyFolder, prefix: str, message: str) -> None:
        with pytest.raises(RecordsError, match=message):
            find_trial(study.path, prefix)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class TestClean:
    def clean(self, study: StudyFolder, *, checkpoints: bool = False, remove: bool = True) -> set[str]:
        """What one call removed."""
        before = files(study.path)
        clean_up([study.path], checkpoints=checkpoints, cache=False, remove=remove)
        return before - files(study.path)

    def test_what_it_finds_stays_until_it_is_told_to_remove(self, study: StudyFolder) -> None:
        assert clean_up([study.path], checkpoints=True, cache=False, remove=False)
        assert self.clean(study, checkpoints=True, remove=False) == set()

    def test_only_what_continues_an_ended_trial_goes_by_default(self, study: StudyFolder) -> None:
        assert self.clean(study) == {f"trials/{name.ljust(12, 'a')}/resume.ckpt" for name in ("00", "01", "10", "11")}

    def test_of_the_weights_the_best_of_each_cell_stay(self, study: StudyFolder) -> None:
        gone = self.clean(study, checkpoints=True)
        assert {name.split("/")[1][:2] for name in gone if "best" in name or "last" in name} == {"00", "10"}

    def test_scratch_and_half_written_files_go_and_nothing_else(self, study: StudyFolder) -> None:
        self.clean(study)
        study.scratch.mkdir()
        (study.scratch / "x").write_text("x")
        for name in (".results.json.k3jx", ".gitignore", "notes.txt"):
            (study.path / name).write_text("x")
        assert self.clean(study) == {".scratch/x", ".results.json.k3jx"}

    def test_a_study_that_links_elsewhere_is_refused(self, study: StudyFolder, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "resume.ckpt").write_text("mine")
        trial = study.trial("00".ljust(12, "a"))
        shutil.rmtree(trial)
        trial.symlink_to(outside)
        study.scratch.symlink_to(outside)
        with pytest.raises(RecordsError, match="is a link"):
            self.clean(study, checkpoints=True)
        assert (outside / "resume.ckpt").read_text() == "mine"
        assert trial.is_symlink()
        assert study.scratch.is_symlink()

    def test_a_running_study_is_refused(self, study: StudyFolder) -> None:
        with held(study.ledger):
            for remove in (False, True):
                with pytest.raises(RecordsError, match="in use"):
                    clean_up([study.path], checkpoints=True, cache=False, remove=remove)

    def test_the_cache_goes_as_a_whole_and_is_rebuilt(
        self, compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from actsweep.data import prepare

        monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path))
        settings = compose("experiment=smoke").data
        first = prepare(settings).fingerprint
        found = clean_up([], checkpoints=False, cache=True, remove=True)
        assert sum(removal.bytes for removal in found) > 100_000
        assert list((tmp_path / "data").iterdir()) == []
        assert prepare(settings).fingerprint == first

    @pytest.mark.parametrize("remove", [False, True])
    def test_what_others_keep_beside_the_cache_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remove: bool
    ) -> None:
        monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path))
        (tmp_path / "data" / "empty").mkdir(parents=True)
        (tmp_path / "data" / "theirs").mkdir()
        (tmp_path / "data" / "theirs" / "lock").touch()
        (tmp_path / "data" / "digits-2").mkdir()
        clean_up([], checkpoints=False, cache=True, remove=remove)
        left = {path.name for path in (tmp_path / "data").rglob("*")}
        assert left == {"empty", "theirs", "lock"} | (set() if remove else {"digits-2"})

    def test_what_a_killed_download_left_in_the_cache_goes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path))
        entry = tmp_path / "data" / "cifar10-2"
        (entry / "scratch").mkdir(parents=True)
        for name in ("scratch/half", ".cifar-10-python.tar.gz.123"):
            (entry / name).write_bytes(b"12345")
        assert sum(found.bytes for found in clean_up([], checkpoints=False, cache=True, remove=True)) == 10
        assert not entry.exists()
