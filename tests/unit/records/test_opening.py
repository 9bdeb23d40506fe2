import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RecordsError, RequestError
from actsweep.events import StudyExtended, StudyStarted
from actsweep.plugins import refuse_plugins_in, refuse_working_folder
from actsweep.records import Ledger, StudyFolder, holds_study, open_study
from actsweep.settings import StudyConfig
from actsweep.studies.verifying import verify_study
from ledgers import began

Compose = Callable[..., StudyConfig]


@pytest.fixture
def config(compose: Compose) -> StudyConfig:
    return compose("experiment=smoke")


@pytest.fixture
def folder(config: StudyConfig, tmp_path: Path) -> StudyFolder:
    """A study that has begun."""
    return began(tmp_path, config)


def edit(folder: StudyFolder, before: str, after: str) -> None:
    text = folder.config_file.read_text()
    assert before in text
    folder.config_file.write_text(text.replace(before, after, 1))


def test_an_untouched_study_is_what_the_ledger_says(folder: StudyFolder, config: StudyConfig) -> None:
    opened = open_study(folder)
    assert (opened.config, opened.recorded, opened.problem) == (config, config, "")


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("seeds: 2", "seeds: 20", "study.replicate.seeds: 2 recorded, 20 in the file"),
        ("epochs: 2", "epochs: 3", "trainer.epochs: 2 recorded, 3 in the file"),
    ],
)
def test_what_results_depend_on_is_not_changed_by_hand(
    folder: StudyFolder, before: str, after: str, named: str
) -> None:
    edit(folder, before, after)
    with pytest.raises(RecordsError, match=named) as refusal:
        open_study(folder)
    assert "actsweep sweep --extend" in str(refusal.value)
    assert str(folder.config_file) in str(refusal.value)


def test_where_it_runs_may_be_changed_by_hand(folder: StudyFolder) -> None:
    edit(folder, "max_concurrent: null", "max_concurrent: 3")
    opened = open_study(folder)
    assert opened.config.cluster.max_concurrent == 3
    assert opened.recorded.cluster.max_concurrent is None


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\x00run: [")])
def test_the_ledger_stands_in_for_lost_or_damaged_settings(
    folder: StudyFolder, config: StudyConfig, damage: Callable[[Path], Any]
) -> None:
    damage(folder.config_file)
    opened = open_study(folder)
    assert opened.config == config
    assert "study.yaml" in opened.problem
    assert holds_study(folder)


def test_an_extension_counts_from_its_event_on(folder: StudyFolder, config: StudyConfig, compose: Compose) -> None:
    more = compose("experiment=smoke", "study.replicate.seeds=5")
    with Ledger(folder.ledger) as ledger:
        ledger(StudyExtended(2, [], more.model_dump(mode="json"), 1.0))
    opened = open_study(folder)  # the driver was killed before it wrote the settings
    assert (opened.config, opened.recorded) == (more, more)
    assert "before trials were added" in opened.problem
    folder.write_config(more)
    assert open_study(folder).problem == ""
    edit(folder, "seeds: 5", "seeds: 7")
    with pytest.raises(RecordsError, match=r"study\.replicate\.seeds: 5 recorded, 7 in the file"):
        open_study(folder)


def test_an_empty_folder_holds_no_study(tmp_path: Path) -> None:
    assert not holds_study(StudyFolder(tmp_path))
    with pytest.raises(RecordsError, match="holds no study"):
        open_study(StudyFolder(tmp_path))


def test_a_study_that_ended_before_its_first_event_is_what_its_settings_say(
    tmp_path: Path, config: StudyConfig
) -> None:
    StudyFolder(tmp_path).write_config(config)
    study = open_study(StudyFolder(tmp_path))
    assert (study.config, study.recorded, study.content.events, study.problem) == (config, config, (), "")
    assert holds_study(StudyFolder(tmp_path))


@pytest.mark.parametrize("within", ["", "trials"])
def test_a_studys_folder_brings_no_code_of_its_own(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch, within: str
) -> None:
    place = folder.path / within
    place.mkdir(exist_ok=True)
    (place / "brought_along.py").write_text(f"open({str(folder.path / 'ran')!r}, 'w')")
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.path", [*sys.path])
    edit(folder, "plugins: []", "plugins: [brought_along]")
    with pytest.raises(RequestError, match="brought_along lies in the study's own folder"):
        folder.read_config()
    assert "brought_along" in open_study(folder).problem  # the ledger lists no plugin
    assert not (folder.path / "ran").exists()


def test_nor_do_the_settings_in_its_ledger(
    config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brought_too.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    folder = StudyFolder(tmp_path)
    settings = {**config.model_dump(mode="json"), "plugins": ["brought_too"]}
    with Ledger(folder.ledger) as ledger:
        ledger(StudyStarted("smoke", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, settings, 0.0))
    with pytest.raises(RequestError, match="brought_too lies in the study's own folder"):
        open_study(folder)
    assert not (tmp_path / "ran").exists()


def test_nor_does_a_package_around_it(folder: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.path / "brought.py").write_text(f"open({str(folder.path / 'ran')!r}, 'w')")
    monkeypatch.chdir(folder.path.parent)  # in which every folder is a package
    monkeypatch.setattr("sys.path", [*sys.path])
    name = f"{folder.path.name}.brought"
    with pytest.raises(RequestError, match=f"{name} lies in the study's own folder"):
        refuse_plugins_in(folder.path, [name])
    edit(folder, "plugins: []", f"plugins: [{name}]")
    with pytest.raises(RequestError):
        folder.read_config()
    assert not (folder.path / "ran").exists()


def test_nor_does_another_study(folder: StudyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ledger.jsonl").touch()
    (other / "brought_over.py").write_text(f"open({str(other / 'ran')!r}, 'w')")
    monkeypatch.chdir(other)
    monkeypatch.setattr("sys.path", [*sys.path])
    with pytest.raises(RequestError, match="or in that of another"):
        refuse_plugins_in(tmp_path / "study", ["brought_over"])
    assert not (other / "ran").exists()


def test_nor_do_the_settings_that_an_earlier_event_holds(
    config: StudyConfig, compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brought_before.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    folder = StudyFolder(tmp_path)
    settings, more = config.model_dump(mode="json"), compose("experiment=smoke", "study.replicate.seeds=5")
    with Ledger(folder.ledger) as ledger:
        ledger(StudyStarted("smoke", {"label": "l", "fingerprint": "f", "classes": 10}, {}, settings, 0.0))
        ledger(StudyExtended(2, [], {**settings, "plugins": ["brought_before"]}, 1.0))
        ledger(StudyExtended(3, [], more.model_dump(mode="json"), 2.0))
    folder.write_config(compose("experiment=smoke", "study.replicate.seeds=9"))
    with pytest.raises(RequestError, match="brought_before lies in the study's own folder"):
        open_study(folder)
    assert not (tmp_path / "ran").exists()


def test_nor_when_it_is_verified(config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brought_there.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    folder = StudyFolder(tmp_path)
    settings = {**config.model_dump(mode="json"), "plugins": ["brought_there"]}
    with Ledger(folder.ledger) as ledger:
        ledger(StudyStarted("smoke", {"label": "l", "fingerprint": "f", "classes": 10}, {}, settings, 0.0))
    problems = [finding.problem for finding in verify_study(tmp_path).findings]
    assert any("brought_there lies in the study's own folder" in problem for problem in problems)
    assert not (tmp_path / "ran").exists()


def test_nothing_is_trained_from_within_a_studys_folder(folder: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_working_folder()
    (folder.path / "trials").mkdir()
    monkeypatch.chdir(folder.path / "trials")
    with pytest.raises(RequestError, match="start from another folder"):
        refuse_working_folder()
