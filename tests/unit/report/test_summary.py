import math

from actsweep.events import Event, RangeWidened, StudyExtended, StudyRecord
from actsweep.report.summary import CellState, board_of

from .conftest import Story


def states(story: Story, *events: Event) -> tuple[CellState, ...]:
    record = StudyRecord()
    for event in events:
        record(event)
    return board_of(story.study, record).cells()


def counts(state: CellState, phase: str) -> tuple[int, int, int, int, int]:
    found = state.phases[phase]
    return found.total, found.done, found.running, found.failed, found.waiting


def test_before_the_first_trial_all_wait(story: Story) -> None:
    relu, sigmoid = states(story)
    assert (relu.label, sigmoid.label) == ("relu/3", "sigmoid/3")
    assert counts(relu, "tune") == (4, 0, 0, 0, 4)
    assert counts(relu, "replicate") == (3, 0, 0, 0, 3)
    assert relu.best is None


def test_trials_count_where_they_stand(story: Story) -> None:
    done, failed, running = (story.tune(0, number) for number in range(3))
    events = [*story.run(done, 0.9), story.start(failed), story.fail(failed, "no"), story.start(running)]
    relu, sigmoid = states(story, *events)
    assert counts(relu, "tune") == (4, 1, 1, 1, 1)
    assert counts(sigmoid, "tune") == (4, 0, 0, 0, 4)
    assert [relu.sum(name) for name in ("total", "done", "running", "failed", "waiting")] == [7, 1, 1, 1, 4]


def test_a_diverged_trial_is_done_but_its_accuracy_does_not_count(story: Story) -> None:
    trial = story.tune(0, 0)
    relu, _ = states(story, story.start(trial), story.report(trial, 1, 0.99), story.finish(trial, "diverged"))
    assert (relu.sum("done"), relu.best) == (1, None)


def test_a_lost_trial_waits_and_then_counts_once(story: Story) -> None:
    trial = story.tune(0, 0)
    lost = [story.start(trial), story.report(trial, 1, 0.99), story.fail(trial, "node died", retry=True)]
    assert counts(states(story, *lost)[0], "tune") == (4, 0, 0, 0, 4)
    relu, _ = states(story, *lost, *story.run(trial, 0.5))
    assert counts(relu, "tune") == (4, 1, 0, 0, 3)
    assert relu.best == 0.5


def test_the_best_accuracy_is_that_of_any_evaluation(story: Story) -> None:
    trial, other = story.tune(0, 0), story.tune(0, 1)
    start = story.start(trial)
    rows = [story.report(trial, epoch, value) for epoch, value in enumerate((0.1, 0.8, math.nan, 0.7))]
    assert states(story, start, *rows, *story.run(other, 0.75))[0].best == 0.8


def test_a_block_that_replicates_is_tuned_even_with_fewer_trials_than_points(story: Story) -> None:
    events = [*story.run(story.tune(0, 0), 0.9), story.choose(0), story.start(story.replicate(0, 0))]
    relu, sigmoid = states(story, *events)
    assert counts(relu, "tune") == (1, 1, 0, 0, 0)
    assert counts(sigmoid, "tune") == (4, 0, 0, 0, 4)


def test_a_range_that_grew_brings_points_for_every_cell(story: Story) -> None:
    relu, sigmoid = states(story, RangeWidened("optimizer.lr", "high", story.now))
    assert counts(relu, "tune") == counts(sigmoid, "tune") == (4 + 2, 0, 0, 0, 6)


def test_points_that_were_added_wait_although_the_block_has_replicates(story: Story) -> None:
    events = [*story.run(story.tune(0, 0), 0.9), story.choose(0), *story.run(story.replicate(0, 0), 0.9)]
    added = StudyExtended(2, [("study.tune.points", 1, 4)], {}, story.now)
    relu, _ = states(story, *events, added, story.resume(2))
    assert counts(relu, "tune") == (4, 1, 0, 0, 3)
    assert counts(relu, "replicate") == (3, 1, 0, 0, 2)


def test_a_replicate_of_a_point_that_is_no_longer_chosen_is_left_out(story: Story) -> None:
    events = [*story.run(story.tune(0, 0), 0.9), story.choose(0), *story.run(story.replicate(0, 0), 0.9)]
    relu, _ = states(story, *events, story.choose(0, lr=0.02))
    assert counts(relu, "replicate") == (3, 0, 0, 0, 3)


def test_nothing_waits_in_a_finished_study(story: Story) -> None:
    trial = story.tune(0, 0)
    relu, sigmoid = states(story, story.start(trial), story.fail(trial, "no"), story.end())
    assert (relu.sum("total"), relu.sum("failed"), relu.sum("waiting")) == (1, 1, 0)
    assert sigmoid.sum("total") == 0
