"""What is asked for, held against what a folder holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actsweep.data import Source
from actsweep.errors import RequestError
from actsweep.records import StudyFolder, open_study
from actsweep.run.request import Request, additions, refuse_missing_storage, refuse_other_data
from actsweep.settings import StudyConfig
from ledgers import DATA, began

Compose = Callable[..., StudyConfig]


def asked(config: StudyConfig, *, extend: bool = False) -> Request:
    return Request(config, extend, None)


class TestAdditions:
    def test_an_empty_folder_holds_nothing_and_is_not_extended(self, compose: Compose, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path / "new")
        assert additions(folder, asked(compose("experiment=smoke"))) == (None, ())
        with pytest.raises(RequestError, match="holds no study yet, so there is nothing to add to"):
            additions(folder, asked(compose("experiment=smoke"), extend=True))

    def test_the_same_study_has_none(self, compose: Compose, tmp_path: Path) -> None:
        config = compose("experiment=smoke")
        opened, added = additions(began(tmp_path, config), asked(config))
        assert opened is not None
        assert (opened.config, added) == (config, ())

    def test_more_seeds_are_some_where_they_were_asked_for(self, compose: Compose, tmp_path: Path) -> None:
        folder, more = (
            began(tmp_path, compose("experiment=smoke")),
            compose("experiment=smoke", "study.replicate.seeds=5"),
        )
        _, added = additions(folder, asked(more, extend=True))
        assert [(path, old, now) for path, old, now in added] == [("study.replicate.seeds", 2, 5)]
        with pytest.raises(RequestError, match=r"To add these to it: --extend\. Or: give the new study a name"):
            additions(folder, asked(more))

    def test_other_settings_are_refused_whether_extended_or_not(self, compose: Compose, tmp_path: Path) -> None:
        folder, other = began(tmp_path, compose("experiment=smoke")), compose("experiment=smoke", "trainer.epochs=3")
        with pytest.raises(RequestError, match=r"(?s)other settings:.*trainer\.epochs: 2 there, 3 asked"):
            additions(folder, asked(other))
        with pytest.raises(RequestError, match=r"(?s)--extend can add seeds, .*trainer\.epochs: 2 there, 3 asked"):
            additions(folder, asked(other, extend=True))


def test_a_study_goes_on_with_its_own_images_alone(compose: Compose, tmp_path: Path) -> None:
    folder = began(tmp_path, compose("experiment=smoke"))
    record = open_study(folder).record
    same = Source("", "digits", DATA["fingerprint"], ("0", "1"), (1, 8, 8))
    refuse_other_data(record, same, folder)
    with pytest.raises(RequestError, match=r"\(digits there, mine now\)"):
        refuse_other_data(record, replace(same, label="mine", fingerprint="g"), folder)


def test_storage_that_is_not_mounted_is_refused_by_its_driver(compose: Compose, tmp_path: Path) -> None:
    words = ("experiment=smoke", "cluster=ray", "cluster.address=http://127.0.0.1:1")
    for root, there in ((tmp_path, True), (tmp_path / "away", False), ("outputs", True)):
        storage = tmp_path / "away" if root == "outputs" else root
        config = compose(*words, f"cluster.storage={storage}", f"run.root={root}")
        if there:
            refuse_missing_storage(config)
        else:
            with pytest.raises(RequestError, match="the node of the driver has no such folder"):
                refuse_missing_storage(config)
