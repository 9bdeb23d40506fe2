"""A study's folder while it is not yet sure that a study comes of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.records import Ledger, StudyFolder
from actsweep.run.folder import made_folder, nothing_left
from actsweep.settings import StudyConfig
from ledgers import began

Compose = Callable[..., StudyConfig]


def test_nothing_stays_of_a_request_that_is_refused(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "x")
    with (
        pytest.raises(ValueError, match="refused"),
        made_folder(folder),
        Ledger(folder.ledger),
        nothing_left(folder),
    ):
        raise ValueError("refused")
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_began_stays(compose: Compose, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "x")
    with made_folder(folder), nothing_left(folder):
        began(folder.path, compose("experiment=smoke"))
    assert folder.ledger.is_file()


def test_what_lay_in_the_folder_before_stays(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with made_folder(StudyFolder(tmp_path)), nothing_left(StudyFolder(tmp_path)):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
