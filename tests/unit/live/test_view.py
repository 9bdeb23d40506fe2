import math

import pytest

from actsweep.live.follow import FollowedStudy
from actsweep.live.pages import list_parts, study_parts
from actsweep.live.view import MOST_TRIALS, entry_view, study_view
from actsweep.records import held
from story import Story

from .conftest import Write, whole


def looked(write: Write, *events: object) -> FollowedStudy:
    followed = FollowedStudy(write("demo", *events).path)
    followed.look(whole=True)
    return followed


def test_the_page_says_where_the_study_is(write: Write, story: Story) -> None:
    followed = looked(write, *whole(story))
    view = study_view(followed)
    assert view.status.startswith("interrupted: 13 of 14 trials done, 1 failed; to go on: actsweep resume ")
    assert view.elapsed == "2:10"
    assert view.cells is not None
    assert view.cells.heading[:4] == ("activation/depth", "tune", "replicate", "interrupted")
    assert [row[:3] for row in view.cells.rows] == [("relu/3", "4/4", "3/3"), ("sigmoid/3", "4/4", "2/3")]


def test_a_running_study_says_what_it_does_and_how_long_it_takes(write: Write, story: Story) -> None:
    folder = write("demo", story.begin(), *story.run(story.tune(0, 0), 0.5), story.start(story.tune(0, 1)))
    with held(folder.ledger):
        followed = FollowedStudy(folder.path)
        followed.look(whole=True)
    view = study_view(followed)
    assert view.status == "running, tuning: 1 of 14 trials done"
    assert view.left.startswith("about ")
    assert view.running_since == 1000.0


def test_the_trials_that_were_heard_of_last_come_first(write: Write, story: Story) -> None:
    slow, quick = story.tune(0, 0), story.tune(1, 0)
    view = study_view(looked(write, story.begin(), story.start(slow), story.start(quick), story.report(slow, 0, 0.25)))
    assert view.trials is not None
    assert view.trials.heading == ("trial", "cell", "phase", "block", "lr", "epoch", "val acc", "best", "status")
    assert view.trials.rows == (
        (slow.trial_id, "relu/3", "tune", "0", "0.01", "0/1", "25 %", "25 %", "interrupted"),
        (quick.trial_id, "sigmoid/3", "tune", "0", "0.01", "-/1", "-", "-", "interrupted"),
    )


def test_one_that_runs_is_shown_however_many_ended_since(write: Write, story: Story) -> None:
    slow = story.tune(0, 0)
    others = [event for number in range(1, MOST_TRIALS + 10) for event in story.run(story.tune(0, number), 0.5)]
    view = study_view(looked(write, story.begin(), story.start(slow), *others))
    assert view.trials is not None
    assert len(view.trials.rows) == MOST_TRIALS
    assert view.trials.rows[-1][0] == slow.trial_id


@pytest.mark.parametrize("value", [math.nan, None])
def test_an_accuracy_that_is_none_is_a_dash(write: Write, story: Story, value: float | None) -> None:
    trial = story.tune(0, 0)
    followed = looked(write, story.begin(), story.start(trial), story.report(trial, 1, math.nan))
    view = study_view(followed)
    assert view.trials is not None
    assert view.trials.rows[0][6:8] == ("-", "-")


def test_words_of_others_are_text(write: Write, story: Story) -> None:
    followed = looked(write, *whole(story))
    html = study_parts(study_view(followed), None).html
    assert "<script" not in "".join(html.values())
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\x1b[31m" in html["trials"]


def test_the_list_shows_each_study_and_what_is_wrong(write: Write, story: Story) -> None:
    followed = looked(write, *whole(story))
    row = entry_view(followed.entry)
    assert (row.state, row.done, row.failed, row.planned, row.verdicts) == ("interrupted", "13", "1", "14", "-")
    followed.folder.ledger.write_bytes(b"?\n")
    followed.look(whole=True)
    assert "line 1" in entry_view(followed.entry).damage
    html = list_parts(followed.folder.path, "", [("/study/demo", entry_view(followed.entry))]).html["studies"]
    assert 'href="/study/demo"' in html
    assert "line 1" in html
