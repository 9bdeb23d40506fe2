"""Studies below a root, as their driver writes them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.events import Event
from actsweep.records import Ledger, StudyFolder
from actsweep.study import Study
from story import Story, demo

Write = Callable[..., StudyFolder]
HOSTILE = "<script>alert(1)</script> \x1b[31m"


@pytest.fixture(scope="session")
def study() -> Study:
    """Two cells, with four points and three seeds each, trained for one epoch."""
    return demo("study.tune.points=4", "study.replicate.seeds=3", "trainer.epochs=1")


@pytest.fixture
def story(study: Study) -> Story:
    return Story(study)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outputs").mkdir()
    return tmp_path / "outputs"


@pytest.fixture
def write(root: Path, study: Study) -> Write:
    """Append events to a study of some name, which is begun where it is not there; any name that a folder can have."""

    def append(name: str, *events: Event) -> StudyFolder:
        folder = StudyFolder(root / name)
        if not folder.config_file.exists():
            folder.path.mkdir(exist_ok=True)
            plain = StudyFolder(root.parent / "plain")
            plain.write_config(study.config)
            shutil.copy(plain.config_file, folder.config_file)
        with Ledger(folder.ledger) as ledger:
            ledger(*events)
        return folder

    return append


def whole(story: Story) -> list[Event]:
    """All trials of the study but one replicate of sigmoid; one of them has failed."""
    events: list[Event] = [story.begin()]
    for arm in (0, 1):
        for number in range(4):
            events += story.run(story.tune(arm, number), 0.9 - 0.01 * number)
        events.append(story.choose(arm))
        for number in range(3 - arm):
            events += story.run(story.replicate(arm, number), 0.9 + 0.01 * number - 0.1 * arm)
    last = story.replicate(1, 2)
    return [*events, story.start(last), story.fail(last, HOSTILE)]
