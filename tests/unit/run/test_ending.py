"""What is said where a sweep ends before its end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.events import StudyFinished
from actsweep.records import StudyFolder
from actsweep.run.ending import last_words, stopped, way_on
from actsweep.settings import StudyConfig
from actsweep.system.halt import Halt
from ledgers import began

Compose = Callable[..., StudyConfig]


def test_the_way_on_is_resume_while_trials_are_left(compose: Compose, tmp_path: Path) -> None:
    folder = began(tmp_path, compose("experiment=smoke"))
    assert way_on(folder) == f"what has ended is kept. To go on: actsweep resume {tmp_path}"


def test_it_is_the_report_once_all_have_ended(compose: Compose, tmp_path: Path) -> None:
    folder = began(tmp_path, compose("experiment=smoke"), StudyFinished(2.0))
    assert way_on(folder) == f"all trials have ended. To see what came of them: actsweep report {tmp_path}"


def test_there_is_none_before_the_study_began(tmp_path: Path) -> None:
    assert way_on(StudyFolder(tmp_path)) == "the study had not begun"


def test_a_damaged_study_is_left_to_resume(compose: Compose, tmp_path: Path) -> None:
    folder = began(tmp_path, compose("experiment=smoke"))
    folder.ledger.write_text("{}\n{}\n")
    assert way_on(folder).startswith("what has ended is kept. To go on: actsweep resume")


def test_a_reason_is_told_where_it_was_not_the_user(
    compose: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    halt, folder = Halt(), began(tmp_path, compose("experiment=smoke"))
    assert stopped(halt, folder).startswith("stopped; what has ended is kept")
    halt.because("the cluster is gone")
    assert last_words(halt, folder) == 130
    assert capsys.readouterr().err.startswith("actsweep: stopped: the cluster is gone; what has ended is kept")
