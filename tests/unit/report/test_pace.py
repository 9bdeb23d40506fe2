from actsweep.report.pace import Pace
from story import Story


def test_unknown_until_a_trial_has_finished(story: Story) -> None:
    pace = Pace()
    assert pace.left({"tune": 4}, story.now) is None
    pace(story.start(story.tune(0, 0)))
    assert pace.left({"tune": 3}, story.now) is None


def test_what_waits_is_shared_by_as_many_as_ran_at_once(story: Story) -> None:
    pace, trials = Pace(), [story.tune(0, number) for number in range(2)]
    for trial in trials:
        pace(story.start(trial))
    story.now += 10
    for trial in trials:
        pace(story.finish(trial))
    assert pace.left({"tune": 6, "replicate": 0}, story.now) == 6 * 10 / 2


def test_a_running_trial_needs_what_is_left_of_the_mean(story: Story) -> None:
    pace = Pace()
    for event in story.run(story.tune(0, 0), 0.9, seconds=10):
        pace(event)
    pace(story.start(story.tune(0, 1)))
    assert pace.left({"tune": 0}, story.now + 4) == 6
    assert pace.left({"tune": 0}, story.now + 40) == 0


def test_the_last_trials_cannot_share_one_anothers_work(story: Story) -> None:
    pace, trials = Pace(), [story.tune(0, number) for number in range(3)]
    for trial in trials:
        pace(story.start(trial))
    story.now += 10
    for trial in trials:
        pace(story.finish(trial))
    pace(story.start(story.tune(1, 0)))
    assert pace.left({"tune": 0}, story.now) == 10


def test_phases_have_their_own_mean_as_soon_as_one_of_them_finished(story: Story) -> None:
    pace = Pace()
    for event in story.run(story.tune(0, 0), 0.9, seconds=10):
        pace(event)
    assert pace.left({"replicate": 1}, story.now) == 10
    for event in story.run(story.replicate(0, 0), 0.9, seconds=30):
        pace(event)
    assert pace.left({"tune": 1, "replicate": 1}, story.now) == 40


def test_durations_outlive_a_resumption_and_running_trials_do_not(story: Story) -> None:
    pace = Pace()
    for event in [*story.run(story.tune(0, 0), 0.9, seconds=10), story.start(story.tune(0, 1)), story.resume(1)]:
        pace(event)
    assert pace.left({"tune": 1}, story.now) is None
    pace(story.start(story.tune(0, 1)))
    assert pace.left({"tune": 1}, story.now) == 20


def test_failed_and_outdated_attempts_say_nothing_of_the_pace(story: Story) -> None:
    pace, trial = Pace(), story.tune(0, 0)
    first = story.start(trial)
    story.now += 3
    lost, late = story.fail(trial, "node died", retry=True), story.finish(trial)
    for event in (first, lost, story.start(trial), late):
        pace(event)
    assert pace.left({"tune": 1}, story.now) is None
