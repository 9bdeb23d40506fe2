from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.data import prepare
from actsweep.errors import RequestError
from actsweep.events import StudyRecord
from actsweep.run.disk import free_bytes, lacking_bytes, refuse_small_disk
from actsweep.run.plan import make_plan
from actsweep.settings import StudyConfig
from actsweep.study import Study

Compose = Callable[..., StudyConfig]


def test_free_space_is_that_of_where_a_folder_would_be(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "there" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.05)


@pytest.mark.parametrize("words", [(), ("model.width=16", "optimizer=sgd")])
def test_the_estimate_without_a_probe_is_near_that_of_the_plan(compose: Compose, words: tuple[str, ...]) -> None:
    config = compose("experiment=smoke", *words)
    disk = make_plan(config).disk
    planned = disk.checkpoints + disk.running + disk.curves
    assert 0.5 < lacking_bytes(Study(config), prepare(config.data), StudyRecord()) / planned < 2


def test_a_study_that_has_no_room_is_refused_before_it_begins(compose: Compose, tmp_path: Path) -> None:
    config = compose(
        "experiment=smoke", f"run.root={tmp_path}", "study.replicate.seeds=100000000", "study.max_trials=1000000000"
    )
    study = Study(config)
    with pytest.raises(RequestError, match=r"run\.root=.* free there, and the study needs about .* more"):
        refuse_small_disk(study, prepare(config.data), StudyRecord())
