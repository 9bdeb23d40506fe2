import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from actsweep.live.parts import Parts
from actsweep.live.watch import Watch
from story import Story

from .conftest import Write, whole


@pytest.fixture
def watch(root: Path) -> Iterator[Watch]:
    watch = Watch(root)
    watch.start()
    yield watch
    watch.stop()


def soon(parts: Callable[[], Parts | None], shows: Callable[[str], bool], seconds: float = 10.0) -> str:
    """All of a page, once it shows something."""
    deadline = time.monotonic() + seconds
    while True:
        found = parts()
        text = "".join(found.html.values()) if found else ""
        if shows(text):
            return text
        assert time.monotonic() < deadline, text
        time.sleep(0.02)


def page(watch: Watch, name: str) -> Callable[[], Parts | None]:
    assert watch.knows(name)
    return lambda: watch.study(name)


def test_the_list_follows_what_comes_and_goes(watch: Watch, write: Write, story: Story, root: Path) -> None:
    shutil.rmtree(root)
    soon(watch.overview, lambda text: "there is no folder" in text)
    root.mkdir()
    soon(watch.overview, lambda text: "holds no study yet" in text)
    write("first", *whole(story))
    write("second", story.begin())
    soon(watch.overview, lambda text: "interrupted" in text and "<td>13</td>" in text and "second" in text)
    shutil.rmtree(root / "first")
    soon(watch.overview, lambda text: "first" not in text and "second" in text)


def test_a_page_follows_its_study_and_its_results(watch: Watch, write: Write, story: Story) -> None:
    events = whole(story)
    write("demo", events[0])
    soon(page(watch, "demo"), lambda text: "no trial has ended yet" in text)
    write("demo", *events[1:])
    text = soon(page(watch, "demo"), lambda text: "relu has the best test accuracy" in text or "No replicate" in text)
    assert events[-1].trial_id in text  # type: ignore[union-attr]


def test_one_damaged_study_leaves_the_others(watch: Watch, write: Write, story: Story) -> None:
    write("bad", story.begin()).ledger.write_bytes(b"?" * 100 + b"\n")
    write("good", *whole(story))
    soon(watch.overview, lambda text: "is damaged" in text and "<td>13</td>" in text)
    soon(page(watch, "bad"), lambda text: "damaged: " in text)


def test_links_are_listed_and_not_followed(watch: Watch, write: Write, story: Story, root: Path) -> None:
    folder = write("demo", *whole(story))
    outside = root.parent / "outside"
    folder.path.rename(outside)
    (root / "linked").symlink_to(outside)
    text = soon(watch.overview, lambda text: "linked" in text)
    assert "a link, which is not followed here" in text
    assert "href" not in text
    assert not watch.knows("linked")


def test_a_study_as_the_root_is_told(write: Write, story: Story) -> None:
    watch = Watch(write("demo", story.begin()).path)
    watch.start()
    soon(watch.overview, lambda text: "is itself a study" in text)
    watch.stop()


def test_a_trial_of_a_cell_that_the_study_has_not_is_damage(watch: Watch, write: Write, story: Story) -> None:
    stray = replace(story.start(story.tune(0, 0)), cell={"model.activation": "gelu", "model.depth": 3}, phase="cross")
    write("odd", story.begin(), stray, story.choose(0))
    soon(page(watch, "odd"), lambda text: "damaged: " in text)
    write("good", *whole(story))
    soon(page(watch, "good"), lambda text: "13 of 14" in text)


@pytest.mark.parametrize("name", ["..", ".", "", "demo/../demo", "demo/", "DEMO", "nothing", "../outputs/demo"])
def test_only_names_of_the_listing_are_known(watch: Watch, write: Write, story: Story, name: str) -> None:
    write("demo", story.begin())
    assert watch.knows("demo")
    assert not watch.knows(name)
    assert watch.study(name) is None
