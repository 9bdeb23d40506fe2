import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from actsweep.live import follow
from actsweep.live.follow import FollowedStudy
from actsweep.live.report import make_report
from actsweep.live.view import study_view
from actsweep.records import held
from actsweep.report.summary import board_of
from story import Story

from .conftest import Write, whole


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LOCK_SECONDS", 0.0)
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.0)


def looked(followed: FollowedStudy) -> FollowedStudy:
    while followed.look(whole=True):
        pass
    return followed


def test_what_is_followed_event_by_event_is_what_the_whole_ledger_says(write: Write, story: Story) -> None:
    events = [*whole(story), story.resume(11), story.choose(0, lr=0.02), story.start(story.replicate(1, 2))]
    followed = FollowedStudy(write("demo", events[0]).path)
    for event in events[1:]:
        looked(followed)
        write("demo", event)
    looked(followed)
    assert followed.state is not None
    assert followed.state.cells() == board_of(followed.state.study, followed.record).cells()
    again = looked(FollowedStudy(followed.folder.path))
    assert again.record == followed.record
    assert (again.entry, list(again.recent)) == (followed.entry, list(followed.recent))
    assert followed.entry.time == events[-1].time


def test_a_study_is_running_finished_or_interrupted_as_its_lock_and_ledger_say(write: Write, story: Story) -> None:
    folder = write("demo", *whole(story))
    followed = looked(FollowedStudy(folder.path))
    assert (followed.entry.state, followed.entry.done, followed.entry.failed) == ("interrupted", 13, 1)
    with held(folder.ledger):
        assert looked(followed).entry.state == "running"
    write("demo", story.end())
    assert looked(followed).entry.state == "finished"
    write("demo", story.resume(13))
    assert looked(followed).entry.state == "interrupted"


def test_a_damaged_study_says_so_until_it_is_mended(write: Write, story: Story) -> None:
    folder = write("demo", *whole(story))
    followed = looked(FollowedStudy(folder.path))
    content = folder.ledger.read_bytes()
    folder.ledger.write_bytes(content[:500] + b"?" + content[501:])
    assert looked(followed).entry.state == "damaged"
    assert "is damaged" in followed.entry.damage
    assert study_view(followed).status.startswith("damaged: ")
    folder.ledger.write_bytes(content)
    assert (looked(followed).entry.state, followed.entry.done) == ("interrupted", 13)


def test_lines_that_are_missing_are_damage(write: Write, story: Story) -> None:
    folder = write("demo", story.begin(), story.start(story.tune(0, 0)))
    followed = looked(FollowedStudy(folder.path))
    lost = story.tune(0, 1)
    story.start(lost)
    write("demo", story.report(lost, 1, 0.5))
    assert "line 3 is of trial" in looked(followed).entry.damage


def test_a_study_that_is_replaced_is_read_anew(write: Write, story: Story) -> None:
    folder = write("demo", *whole(story))
    followed = looked(FollowedStudy(folder.path))
    shutil.rmtree(folder.path)
    write("demo", story.begin())
    assert (looked(followed).entry.done, followed.record.trials) == (0, {})


def test_a_long_ledger_is_read_in_turns(write: Write, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LINES", 10)
    followed = FollowedStudy(write("demo", *whole(story)).path)
    assert followed.look(whole=True)
    assert (followed.entry.state, followed.is_whole) == ("reading", False)
    assert study_view(followed).status.startswith("reading the ledger: ")
    assert looked(followed).entry.done == 13


def test_what_is_forgotten_is_known_and_read_again_when_it_is_wanted(write: Write, story: Story) -> None:
    followed = looked(FollowedStudy(write("demo", *whole(story)).path))
    followed.forget()
    assert (followed.look(whole=False), followed.entry.done, followed.is_whole) == (False, 13, False)
    assert looked(followed).is_whole


def test_links_and_pipes_are_refused(write: Write, story: Story, tmp_path: Path) -> None:
    folder = write("demo", *whole(story))
    secret = tmp_path / "secret"
    folder.config_file.rename(secret)
    folder.config_file.symlink_to(secret)
    assert "is a link" in looked(FollowedStudy(folder.path)).entry.damage
    folder.config_file.unlink()
    folder.ledger.rename(secret)
    folder.ledger.symlink_to(secret)
    assert "is a link" in looked(FollowedStudy(folder.path)).entry.damage
    folder.ledger.unlink()
    os.mkfifo(folder.ledger)
    assert "is no file" in looked(FollowedStudy(folder.path)).entry.damage


def test_no_plugin_is_imported_and_what_can_be_shown_is(
    write: Write, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plugin_of_others.py").write_text("from pathlib import Path\nPath('taken').touch()\n")
    folder = write("demo", *whole(story))
    shutil.copy(tmp_path / "plugin_of_others.py", folder.path)
    text = folder.config_file.read_text()
    text = text.replace("plugins: []", "plugins: [plugin_of_others]").replace("  name: cnn", "  name: of_others")
    folder.config_file.write_text(text)
    followed = looked(FollowedStudy(folder.path))
    assert (followed.entry.state, followed.entry.done) == ("interrupted", 13)
    assert "plugin_of_others" in " ".join(study_view(followed).notes)
    assert not (tmp_path / "taken").exists()
    assert "plugin_of_others" not in sys.modules


def test_a_report_is_of_what_was_known_when_it_was_asked_for(write: Write, story: Story) -> None:
    followed = looked(FollowedStudy(write("demo", *whole(story)).path))
    opened = followed.for_report()
    assert opened is not None
    trials = len(opened.record.trials)
    write("demo", *story.run(story.tune(0, 5), 0.7))
    looked(followed)
    assert len(opened.record.trials) == trials == len(followed.record.trials) - 1
    began = time.monotonic()
    report = make_report(followed.folder, opened, 3)
    ended = time.monotonic()
    assert report.of == 3
    assert 0 < report.due - ended <= 4 * (ended - began), "it takes at most a fifth of the time"
    assert "relu" in report.html


def test_nothing_to_report_is_a_sentence(write: Write, story: Story) -> None:
    followed = looked(FollowedStudy(write("demo", story.begin()).path))
    opened = followed.for_report()
    assert opened is not None
    assert "no trial has ended yet" in make_report(followed.folder, opened, 1).html
    assert not followed.folder.results.exists()
