import re
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from actsweep.events import CellGivenUp, Event, FailureReason
from actsweep.report.terminal.progress import LINE_SECONDS, REDRAWS, Progress
from story import Story

HOSTILE = "[bold red]Boom[/bold red] \x1b[31mred\x07\nsecond line"


class Screen:
    """A console that keeps what it shows, and whose clock is the story's."""

    def __init__(self, story: Story, *, terminal: bool, clock: Callable[[], float] | None = None) -> None:
        self._file = StringIO()
        self.console = Console(
            file=self._file,
            force_terminal=terminal,
            width=80,
            height=25,
            get_time=clock or (lambda: story.now),
            _environ={"TERM": "xterm"},
        )

    @property
    def raw(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.raw.splitlines()

    @property
    def last_frame(self) -> str:
        plain = Text.from_ansi(self.raw).plain
        return plain[plain.rindex("elapsed") - 80 :]


@pytest.fixture
def lines(story: Story) -> Screen:
    return Screen(story, terminal=False)


@pytest.fixture
def terminal(story: Story) -> Screen:
    return Screen(story, terminal=True)


def show(story: Story, screen: Screen, *events: Event) -> None:
    with Progress(story.study, screen.console) as progress:
        for event in events:
            progress(event)


def whole_study(story: Story) -> list[Event]:
    events: list[Event] = [story.begin()]
    for arm, accuracy in ((0, 0.912), (1, 0.41)):
        for number in range(4):
            events += story.run(story.tune(arm, number), accuracy)
        for number in range(3):
            events += story.run(story.replicate(arm, number), accuracy - 0.01)
    return [*events, story.end()]


def test_without_a_terminal_the_first_line_says_what_is_planned(story: Story, lines: Screen) -> None:
    show(story, lines, story.begin())
    assert lines.lines[0] == "demo: 2 cells, 8 trials to tune and 6 replicates"


def test_without_a_terminal_the_last_line_says_how_it_ended(story: Story, lines: Screen) -> None:
    with Progress(story.study, lines.console) as progress:
        for event in whole_study(story):
            progress(event)
    last = lines.lines[-1]
    assert last.startswith("finished: 14 of 14 trials done, 2:20 elapsed; ")
    assert last.endswith("best validation accuracy: relu/3 91.2 %, sigmoid/3 41 %")


def test_a_study_that_is_interrupted_is_called_stopped(story: Story, lines: Screen) -> None:
    with pytest.raises(KeyboardInterrupt), Progress(story.study, lines.console) as progress:
        for event in story.run(story.tune(0, 0), 0.9):
            progress(event)
        raise KeyboardInterrupt
    assert lines.lines[-1].startswith("stopped: 1 of 14 trials done")


def test_without_a_terminal_each_tenth_of_the_trials_gets_one_line(story: Story) -> None:
    events = whole_study(story)
    screen = Screen(story, terminal=False, clock=lambda: 0.0)  # a clock that stands still: only the tenths count
    show(story, screen, *events)
    done = [int(found[1]) for line in screen.lines if (found := re.search(r": (\d+) of 14 ", line))]
    assert done == [2, 3, 5, 6, 7, 9, 10, 12, 13, 14, 14]


def test_without_a_terminal_there_is_a_line_at_least_every_half_minute(story: Story, lines: Screen) -> None:
    with Progress(story.study, lines.console) as progress:
        progress(story.begin())
        progress(story.start(story.tune(0, 0)))
        before = len(lines.lines)
        story.now += LINE_SECONDS + 1
        deadline = time.monotonic() + 10
        while len(lines.lines) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert lines.lines[before:] == ["tuning: 0 of 14 trials done, 0:31 elapsed"]


def test_without_a_terminal_nothing_but_plain_text_is_printed(story: Story, lines: Screen) -> None:
    trial = story.tune(0, 0)
    show(story, lines, *whole_study(story), story.start(trial), story.fail(trial, HOSTILE))
    assert not re.search(r"[^\n\x20-\x7e]", lines.raw)


def test_time_left_is_unknown_at_first_and_then_estimated(story: Story, lines: Screen) -> None:
    first, second = story.tune(0, 0), story.tune(0, 1)
    with Progress(story.study, lines.console) as progress:
        progress(story.start(first))
        story.now += 40
        progress(story.report(first, 1, 0.9))
        assert lines.lines[-1] == "tuning: 0 of 14 trials done, 0:40 elapsed; best validation accuracy: relu/3 90 %"
        progress(story.finish(first))
        progress(story.start(second))
        story.now += 30
        progress(story.report(second, 1, 0.9))
    assert "tuning: 1 of 14 trials done, 1:10 elapsed, about 8:10 left; " in lines.raw
    assert " left" not in lines.lines[-1]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_failed_trial_is_named_with_its_settings_and_its_reason(story: Story, is_terminal: bool) -> None:
    screen, trial = Screen(story, terminal=is_terminal), story.tune(1, 0)
    show(story, screen, story.begin(), story.start(trial), story.fail(trial, "out of memory"))
    said = Text.from_ansi(screen.raw).plain
    place = f"(sigmoid/3, tune, block 0, lr 0.01, seed {trial.config.seed})"
    assert f"trial {trial.trial_id} {place} failed: out of memory\n" in said


def test_a_lost_trial_is_said_to_be_tried_again(story: Story, lines: Screen) -> None:
    trial = story.tune(0, 0)
    show(story, lines, story.start(trial), story.fail(trial, "node died", retry=True))
    assert "was lost; it will be tried again: node died" in lines.raw


@pytest.mark.parametrize(
    ("reason", "words"),
    [("memory", "ran out of memory"), ("timeout", "took too long"), ("data", "cannot read its data"), ("disk", "full")],
)
def test_why_a_trial_failed_is_said_in_words(story: Story, lines: Screen, reason: FailureReason, words: str) -> None:
    trial = story.tune(0, 0)
    show(story, lines, story.start(trial), replace(story.fail(trial, "no"), reason=reason))
    assert f"{words}: no" in lines.raw


def test_a_cell_that_is_given_up_is_named_with_its_reason(story: Story, lines: Screen) -> None:
    show(story, lines, CellGivenUp(story.tune(1, 0).cell.values, 3, HOSTILE, story.now))
    assert "no more trials of sigmoid/3 are begun, since 3 trials of it failed alike: [bold red]Boom" in lines.raw
    assert "\x1b" not in lines.raw


@pytest.mark.parametrize("is_terminal", [True, False])
def test_text_of_an_error_is_shown_as_it_is(story: Story, is_terminal: bool) -> None:
    screen, trial = Screen(story, terminal=is_terminal), story.tune(0, 0)
    show(story, screen, story.start(trial), story.fail(trial, HOSTILE))
    assert "[bold red]Boom[/bold red] \\x1b[31mred\\x07 second line" in Text.from_ansi(screen.raw).plain
    assert "\x1b[31mred" not in screen.raw
    assert "\x07" not in screen.raw


def test_a_terminal_shows_every_cell(story: Story, terminal: Screen) -> None:
    trial, running = story.tune(0, 0), story.tune(1, 0)
    show(story, terminal, story.begin(), *story.run(trial, 0.912), story.start(running))
    frame = terminal.last_frame
    heading, bar, table = (line.rstrip() for line in frame[frame.index("stopped") :].splitlines()[:3])
    assert heading == "stopped: 1 of 14 trials done, 0:00 elapsed"
    assert set(bar) <= set("━╸╺")
    assert table == "activation/"
    assert re.search(r"relu/3 +1/4 +0/3 +- +6 +- +91.2 %", frame)
    assert re.search(r"sigmoid/3 +0/4 +0/3 +1 +6 +- +-", frame)


def test_a_terminal_is_redrawn_a_few_times_a_second_whatever_happens(story: Story, terminal: Screen) -> None:
    trial = story.tune(0, 0)
    began = time.monotonic()
    with Progress(story.study, terminal.console) as progress:
        progress(story.start(trial))
        for epoch in range(3_000):
            progress(story.report(trial, epoch % 20, 0.5))
    allowed = REDRAWS * (time.monotonic() - began) + 3  # and one at each end
    assert 1 <= terminal.raw.count("elapsed") <= allowed


def test_failures_and_redraws_do_not_wait_for_each_other(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actsweep.report.terminal.progress.REDRAWS", 500)  # so that they meet often
    screen = Screen(story, terminal=True, clock=time.monotonic)
    with Progress(story.study, screen.console) as progress:
        for index in range(100):
            trial = story.tune(0, index % 4)
            progress(story.start(trial))
            progress(story.fail(trial, f"reason {index}"))
    assert Text.from_ansi(screen.raw).plain.count("failed: reason") == 100


def test_a_resumed_study_counts_what_was_done_before(story: Story, lines: Screen) -> None:
    done, interrupted, failed = (story.tune(0, number) for number in range(3))
    before = [*story.run(done, 0.9), story.start(interrupted), story.start(failed), story.fail(failed, "no")]
    with Progress(story.study, lines.console) as progress:
        progress.replay([story.begin(), *before])
        assert lines.raw == ""
        progress(story.resume(1))
        assert lines.lines[0] == "demo: 2 cells, 8 trials to tune and 6 replicates; 1 done before"
    assert lines.lines[-1].startswith("stopped: 1 of 14 trials done, ")
    assert ", 1 failed, " in lines.lines[-1]  # until its next attempt begins


def test_a_replicate_of_a_point_that_is_no_longer_chosen_is_not_among_those_done(story: Story, lines: Screen) -> None:
    before = [*story.run(story.tune(0, 0), 0.9), story.choose(0), *story.run(story.replicate(0, 0), 0.9)]
    with Progress(story.study, lines.console) as progress:
        progress.replay([story.begin(), *before])
        progress(story.resume(2))
        progress(story.choose(0, lr=0.02))
    assert lines.lines[-1].startswith("stopped: 1 of 11 trials done, ")


def test_a_resumed_study_runs_nothing_until_it_starts_it(story: Story, terminal: Screen) -> None:
    interrupted = story.tune(0, 0)
    with Progress(story.study, terminal.console) as progress:
        progress.replay([story.begin(), story.start(interrupted)])
        progress(story.resume(0))
    assert re.search(r"relu/3 +0/4 +0/3 +- +7 +- +-", terminal.last_frame)


@pytest.mark.parametrize(
    ("begun", "phase"),
    [
        ([("tune", 0)], "tuning"),
        ([("tune", 0), ("replicate", 1)], "tuning and replicating"),
    ],
)
def test_the_phase_is_that_of_the_trials_that_run(story: Story, begun: list[tuple[str, int]], phase: str) -> None:
    screen = Screen(story, terminal=False)
    with Progress(story.study, screen.console) as progress:
        for kind, arm in begun:
            progress(story.start(getattr(story, kind)(arm, 0)))
        story.now += LINE_SECONDS
        progress(story.report(getattr(story, begun[0][0])(begun[0][1], 0), 1, 0.5))
    assert f"{phase}: 0 of " in screen.raw


def test_once_all_is_tuned_the_phase_is_replicating(story: Story, lines: Screen) -> None:
    events = [event for arm in (0, 1) for number in range(4) for event in story.run(story.tune(arm, number), 0.9)]
    show(story, lines, *events, *story.run(story.replicate(0, 0), 0.9))
    assert "\nreplicating: 9 of 14 trials done" in lines.raw


def test_an_endless_error_does_not_flood_the_screen(story: Story, lines: Screen) -> None:
    trial = story.tune(0, 0)
    show(story, lines, story.start(trial), story.fail(trial, "x" * 100_000))
    assert max(map(len, lines.lines)) <= 400
