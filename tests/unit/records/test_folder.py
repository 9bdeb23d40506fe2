import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from actsweep.errors import RecordsError, RequestError
from actsweep.records import StudyFolder, is_held, read_trial, write_whole
from actsweep.settings import StudyConfig


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with write_whole(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_file_is_as_open_as_the_umask_allows(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with write_whole(tmp_path / "results.json") as temporary:
            temporary.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "results.json").stat().st_mode & 0o777 == mode


def test_a_file_for_which_there_is_no_room_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with (
        pytest.raises(OSError, match=f"No space left on device: '{path}'"),
        write_whole(path),
        Path("/dev/full").open("w") as full,
    ):
        full.write("x")
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_comes_back_as_it_was(tmp_path: Path, compose: Callable[..., StudyConfig]) -> None:
    config = compose("optimizer.lr=0.1", "study.target.hi=0.9", "+study.scientific.model.norm=[none,batch]")
    folder = StudyFolder(tmp_path / "a" / "b")
    folder.write_config(config)
    assert folder.read_config() == config


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="holds no study"):
        StudyFolder(tmp_path).read_config()


@pytest.mark.parametrize("content", ["run: [", "run: {name: x}", "\x00", "- 1", ""])
def test_a_damaged_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "study.yaml").write_text(content)
    with pytest.raises((RecordsError, RequestError)):
        StudyFolder(tmp_path).read_config()


def test_a_configuration_is_never_code(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(f"!!python/object/apply:os.mkdir [{tmp_path}/made]")
    with pytest.raises(RecordsError, match="is damaged"):
        StudyFolder(tmp_path).read_config()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "name", ["study.yaml", "ledger.jsonl", "ledger.lock", "results.json", "trials", "trials/0123456789ab", "wandb"]
)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_a_studys_folder_is_refused(tmp_path: Path, name: str, there: bool) -> None:
    outside, folder = tmp_path / "outside", StudyFolder(tmp_path / "study")
    if there:
        outside.mkdir()
    (folder.path / name).parent.mkdir(parents=True)
    (folder.path / name).symlink_to(outside)
    with pytest.raises(RecordsError, match=f"{name} is a link"):
        folder.refuse_links()


@pytest.mark.parametrize("name", ["ledger.jsonl", "ledger.lock", "results.json", "optuna.db", "trials/0123456789ab"])
def test_a_pipe_that_would_hold_its_reader_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "trials").mkdir()
    os.mkfifo(tmp_path / name)
    with pytest.raises(RecordsError, match=f"{name} is neither file nor folder"):
        StudyFolder(tmp_path).refuse_links()
    assert not is_held(tmp_path / "ledger.jsonl")


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "study" / "trials").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "study")
    StudyFolder(tmp_path / "link").refuse_links()


@pytest.mark.parametrize(
    "content",
    [
        "a: &a [1,2]\n" + "".join(f"{c}: &{c} [*{b},*{b},*{b}]\n" for b, c in pairwise("abcdefghijklmnop")),
        "x" * (2**17 + 1),
        "[" * 5000,
        "!!python/object/apply:os.system ['true']",
        "a: 2024-99-99",
        "run: {}\nrun: {}",
        "1: {}",
        "[a]: {}",
        "<<: {a: 1}",
        "a: " + "1:" * 5000 + "1",
        "a: " + "1:" * 5000 + "1.5",
        "a: 0x" + "f" * 5000,
    ],
    ids=["aliases", "size", "depth", "tag", "date", "doubled", "number", "list", "merge", "sixties", "float", "hex"],
)
def test_settings_made_to_harm_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "study.yaml").write_text(content)
    with pytest.raises(RequestError):
        StudyFolder(tmp_path).read_config()


def test_everything_of_a_study_has_one_place_in_its_folder(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    promised = ["study.yaml", "ledger.jsonl", "curves.parquet", "results.json", "report.html", "optuna.db", "trials/0a"]
    files = [folder.config_file, folder.ledger, folder.curves, folder.results, folder.report, folder.optuna]
    assert [*files, folder.trial("0a")] == [tmp_path / name for name in promised]
    assert folder.halt.parent == folder.scratch
    assert folder.scratch.parent == tmp_path


def test_a_trials_configuration_comes_back_as_it_was(tmp_path: Path, compose: Callable[..., StudyConfig]) -> None:
    trial = compose("optimizer.lr=0.1").trial({"model.activation": "tanh"}, 3)
    StudyFolder(tmp_path).write_trial("0" * 12, trial)
    assert read_trial(StudyFolder(tmp_path).trial("0" * 12)) == trial


def test_a_folder_without_a_trial_is_refused_and_so_is_one_whose_settings_are_a_link(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"holds no trial: there is no trial\.yaml in it"):
        read_trial(tmp_path)
    (tmp_path / "elsewhere.yaml").write_text("seed: 1")
    (tmp_path / "trial.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(RecordsError, match="holds no trial"):
        read_trial(tmp_path)
