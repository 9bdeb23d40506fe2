import math
from collections.abc import Callable

import pytest

from actsweep.events import RangeWidened
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

Compose = Callable[..., StudyConfig]


def never(trial: Trial) -> None:
    return None


def queue_of(study: Study, finished: Callable[[Trial], Outcome | None] = never) -> TrialQueue:
    return TrialQueue(study, finished, lambda event: None)


def accuracy(trial: Trial) -> float:
    """Best near lr 0.01 for relu, near 0.001 for the others."""
    best = 0.01 if trial.cell.values["model.activation"] == "relu" else 0.001
    return 1 / (1 + abs(float(str(trial.nuisance["optimizer.lr"])) - best))


def run(queue: TrialQueue, workers: int = 1, lose: tuple[int, ...] = ()) -> list[Trial]:
    """Run a queue dry with so many trials at a time, the oldest ending first; the trials in the order handed out."""
    handed, running = [], []
    while True:
        while len(running) < workers and (trial := queue.next()) is not None:
            handed.append(trial)
            running.append(trial)
        if not running:
            assert queue.idle
            return handed
        ended = running.pop(0)
        if len(handed) - len(running) - 1 in lose:
            queue.retry(ended.trial_id)
        else:
            queue.end(ended.trial_id, Outcome(accuracy(ended)))


@pytest.mark.parametrize("workers", [1, 2, 7, 100])
def test_every_trial_comes_once_whatever_the_number_of_workers(compose: Compose, workers: int) -> None:
    study = Study(compose("study.tune.blocks=2"))
    trials = run(queue_of(study), workers)
    assert len({trial.trial_id for trial in trials}) == len(trials) == 2 * 2 * (8 + 10)
    one_by_one = run(queue_of(study))
    assert {trial.trial_id for trial in trials} == {trial.trial_id for trial in one_by_one}


def test_every_cell_is_tuned_at_the_same_points_in_the_same_order(compose: Compose) -> None:
    trials = run(queue_of(Study(compose())))
    by_cell: dict[str, list[object]] = {}
    for trial in trials:
        if trial.phase == "tune":
            by_cell.setdefault(trial.cell.label, []).append((trial.nuisance, trial.config.seed))
    assert by_cell["relu/3"] == by_cell["sigmoid/3"]


def test_replicates_are_at_the_best_point_of_their_own_cell_and_block(compose: Compose) -> None:
    trials = run(queue_of(Study(compose("study.tune.blocks=3"))))
    for cell in ("relu/3", "sigmoid/3"):
        for block in range(3):
            mine = [trial for trial in trials if (trial.cell.label, trial.block) == (cell, block)]
            best = max((trial for trial in mine if trial.phase == "tune"), key=accuracy)
            replicates = [trial for trial in mine if trial.phase == "replicate"]
            assert len(replicates) == 10
            assert all(trial.nuisance == best.nuisance for trial in replicates)


def test_a_cell_need_not_wait_for_another_cells_tuning(compose: Compose) -> None:
    queue = queue_of(Study(compose("study.tune.points=2")))
    first = [queue.next() for _ in range(4)]
    assert queue.next() is None
    assert not queue.idle
    for trial in first:
        if trial is not None and trial.cell.label == "relu/3":
            queue.end(trial.trial_id, Outcome(0.5))
    replicate = queue.next()
    assert replicate is not None
    assert (replicate.phase, replicate.cell.label) == ("replicate", "relu/3")


@pytest.mark.parametrize("known", [0, 1, 5, 16, 17, 35, 36])
def test_a_queue_goes_on_where_an_earlier_one_ended(compose: Compose, known: int) -> None:
    study = Study(compose())
    all_trials = run(queue_of(study))
    outcomes = {trial.trial_id: Outcome(accuracy(trial)) for trial in all_trials[:known]}
    rest = run(queue_of(study, lambda trial: outcomes.get(trial.trial_id)))
    assert [trial.trial_id for trial in rest] == [trial.trial_id for trial in all_trials[known:]]


def test_a_lost_trial_comes_back_before_all_others(compose: Compose) -> None:
    queue = queue_of(Study(compose()))
    first = queue.next()
    assert first is not None
    queue.retry(first.trial_id)
    assert queue.next() == first


def test_lost_trials_change_nothing_in_the_end(compose: Compose) -> None:
    study = Study(compose())
    trials = run(queue_of(study), workers=2, lose=(0, 3, 17, 20))
    assert {trial.trial_id for trial in trials} == {trial.trial_id for trial in run(queue_of(study))}


def test_a_failed_point_costs_its_cell_no_more_than_that_point(compose: Compose) -> None:
    queue = queue_of(Study(compose("study.tune.points=2", "study.replicate.seeds=1")))
    phases = []
    while (trial := queue.next()) is not None:
        phases.append(trial.phase)
        queue.end(trial.trial_id, Outcome(None if len(phases) == 1 else 0.5))
    assert phases == ["tune"] * 4 + ["replicate"] * 2


def test_a_cell_whose_every_point_failed_has_no_replicates(compose: Compose) -> None:
    queue = queue_of(Study(compose("study.tune.points=2", "study.replicate.seeds=3")))
    trials = []
    while (trial := queue.next()) is not None:
        trials.append(trial)
        queue.end(trial.trial_id, Outcome(None if trial.cell.label == "relu/3" else 0.5))
    assert {trial.cell.label for trial in trials if trial.phase == "replicate"} == {"sigmoid/3"}
    assert queue.idle


def test_tpe_gives_every_cell_and_block_the_same_number_of_points_one_after_the_other(compose: Compose) -> None:
    study = Study(compose("search=tpe", "study.tune.blocks=2"))
    trials = run(queue_of(study), workers=100)
    tuned = [trial for trial in trials if trial.phase == "tune"]
    places = [(trial.cell.label, trial.block) for trial in tuned]
    assert all(places.count(place) == 8 for place in set(places))
    assert {trial.trial_id for trial in tuned} == {t.trial_id for t in run(queue_of(study)) if t.phase == "tune"}


def test_tpe_learns_where_the_best_values_are(compose: Compose) -> None:
    """Of 24 points per cell the learned ones lie nearer to the cell's own optimum than the first ones."""
    study = Study(compose("search=tpe", "study.tune.points=24", "study.replicate.seeds=1"))
    trials = run(queue_of(study))
    for cell in ("relu/3", "sigmoid/3"):
        accuracies = [accuracy(trial) for trial in trials if trial.cell.label == cell and trial.phase == "tune"]
        assert sum(accuracies[14:]) / 10 > sum(accuracies[:4]) / 4


def test_a_tpe_search_goes_on_where_an_earlier_one_ended(compose: Compose) -> None:
    study = Study(compose("search=tpe"))
    all_trials = run(queue_of(study))
    for known in (3, 9, 14, 20):
        outcomes = {trial.trial_id: Outcome(accuracy(trial)) for trial in all_trials[:known]}
        rest = run(queue_of(study, lambda trial: outcomes.get(trial.trial_id)))  # noqa: B023 - used at once
        assert [trial.trial_id for trial in rest] == [trial.trial_id for trial in all_trials[known:]]


def widening(compose: Compose, *words: str, best: float) -> tuple[list[Trial], list[object]]:
    """The trials of a study whose accuracy is best at one lr, and what was announced."""
    announced: list[object] = []
    queue = TrialQueue(Study(compose("study.replicate.seeds=1", *words)), never, announced.append)
    trials = []
    while (trial := queue.next()) is not None:
        trials.append(trial)
        distance = abs(math.log(float(str(trial.nuisance["optimizer.lr"])) / best))
        queue.end(trial.trial_id, Outcome(1 / (1 + distance)))
    return trials, [(e.path, e.side) for e in announced if isinstance(e, RangeWidened)]


def test_a_range_grows_for_every_cell_while_a_best_value_lies_at_its_edge(compose: Compose) -> None:
    trials, grown = widening(compose, "study.tune.widen=3", best=1.0)
    assert grown == [("optimizer.lr", "high")]
    for cell in ("relu/3", "sigmoid/3"):
        mine = [trial for trial in trials if trial.cell.label == cell]
        lrs = [float(str(trial.nuisance["optimizer.lr"])) for trial in mine if trial.phase == "tune"]
        assert len(lrs) == 8 + 4
        assert sum(lr > 0.1 for lr in lrs) == 4
        assert [trial.phase for trial in mine][-1] == "replicate"
    first = next(index for index, trial in enumerate(trials) if trial.phase == "replicate")
    assert all(trial.phase == "replicate" for trial in trials[first:])


def test_a_range_grows_no_more_often_than_allowed(compose: Compose) -> None:
    _, grown = widening(compose, "study.tune.widen=2", best=1e9)
    assert grown == [("optimizer.lr", "high")] * 2


def test_no_range_grows_where_none_may_or_need(compose: Compose) -> None:
    assert widening(compose, best=1.0)[1] == []
    assert widening(compose, "study.tune.widen=3", best=3e-3)[1] == []


def test_a_range_does_not_grow_beyond_what_a_setting_accepts(compose: Compose) -> None:
    words = ("+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.9}", "study.tune.widen=1")
    study = Study(compose(*words, "study.replicate.seeds=1"))
    announced: list[object] = []
    queue = TrialQueue(study, never, announced.append)
    while (trial := queue.next()) is not None:
        queue.end(trial.trial_id, Outcome(float(str(trial.nuisance["model.dropout"]))))
    assert not [event for event in announced if isinstance(event, RangeWidened) and event.path == "model.dropout"]


def test_crossed_trials_are_at_the_other_arms_point_with_fresh_seeds(compose: Compose) -> None:
    words = ("study.scientific.model.activation=[relu,gelu,tanh]", "study.tune.blocks=2", "study.replicate.cross=true")
    study = Study(compose(*words, "study.replicate.seeds=3"))
    trials = run(queue_of(study), workers=5)
    points = {
        (trial.cell.label, trial.block): trial.nuisance["optimizer.lr"]
        for trial in trials
        if trial.phase == "replicate"
    }
    crossed = [trial for trial in trials if trial.phase == "cross"]
    others = {"gelu/3": ["relu/3"], "tanh/3": ["relu/3"], "relu/3": ["gelu/3", "tanh/3"]}
    for cell, block in points:
        mine = {t.nuisance["optimizer.lr"] for t in crossed if (t.cell.label, t.block) == (cell, block)}
        assert mine == {points[other, block] for other in others[cell]}
    seeds = {trial.config.seed for trial in crossed}
    assert len(seeds) == 2 * 3
    assert seeds.isdisjoint(trial.config.seed for trial in trials if trial.phase == "replicate")
    assert len({trial.trial_id for trial in trials}) == len(trials)


def test_spared_trials_are_the_same_points_in_every_cell(compose: Compose) -> None:
    trials = run(queue_of(Study(compose("study.tune.spare=0.25", "study.tune.blocks=2"))))
    spared: dict[tuple[str, int], list[object]] = {}
    for trial in trials:
        if trial.spared:
            spared.setdefault((trial.cell.label, trial.block), []).append(trial.nuisance["optimizer.lr"])
    assert all(len(points) == 2 for points in spared.values())
    assert spared["relu/3", 1] == spared["sigmoid/3", 1] != spared["relu/3", 0]


def test_it_knows_how_many_trials_could_be_handed_out_now(compose: Callable[..., StudyConfig]) -> None:
    queue = queue_of(Study(compose("experiment=smoke", "study.replicate.seeds=3")))
    assert queue.ready == 4
    tuned = [queue.next() for _ in range(4)]
    assert queue.ready == 0
    for trial in tuned:
        assert trial is not None
        queue.end(trial.trial_id, Outcome(0.5))
    assert queue.ready == 6
    lost = queue.next()
    assert lost is not None
    queue.retry(lost.trial_id)
    assert queue.ready == 6
