from collections.abc import Callable

import pytest

from actsweep.search.queue import Outcome, TrialQueue
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

Compose = Callable[..., StudyConfig]


def never(trial_id: str) -> None:
    return None


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
    trials = run(TrialQueue(study, never), workers)
    assert len({trial.trial_id for trial in trials}) == len(trials) == 2 * 2 * (8 + 10)
    one_by_one = run(TrialQueue(study, never))
    assert {trial.trial_id for trial in trials} == {trial.trial_id for trial in one_by_one}


def test_every_cell_is_tuned_at_the_same_points_in_the_same_order(compose: Compose) -> None:
    trials = run(TrialQueue(Study(compose()), never))
    by_cell: dict[str, list[object]] = {}
    for trial in trials:
        if trial.phase == "tune":
            by_cell.setdefault(trial.cell.label, []).append((trial.nuisance, trial.config.seed))
    assert by_cell["relu/3"] == by_cell["sigmoid/3"]


def test_replicates_are_at_the_best_point_of_their_own_cell_and_block(compose: Compose) -> None:
    trials = run(TrialQueue(Study(compose("study.tune.blocks=3")), never))
    for cell in ("relu/3", "sigmoid/3"):
        for block in range(3):
            mine = [trial for trial in trials if (trial.cell.label, trial.block) == (cell, block)]
            best = max((trial for trial in mine if trial.phase == "tune"), key=accuracy)
            replicates = [trial for trial in mine if trial.phase == "replicate"]
            assert len(replicates) == 10
            assert all(trial.nuisance == best.nuisance for trial in replicates)


def test_a_cell_need_not_wait_for_another_cells_tuning(compose: Compose) -> None:
    queue = TrialQueue(Study(compose("study.tune.points=2")), never)
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
    all_trials = run(TrialQueue(study, never))
    outcomes = {trial.trial_id: Outcome(accuracy(trial)) for trial in all_trials[:known]}
    rest = run(TrialQueue(study, outcomes.get))
    assert [trial.trial_id for trial in rest] == [trial.trial_id for trial in all_trials[known:]]


def test_a_lost_trial_comes_back_before_all_others(compose: Compose) -> None:
    queue = TrialQueue(Study(compose()), never)
    first = queue.next()
    assert first is not None
    queue.retry(first.trial_id)
    assert queue.next() == first


def test_lost_trials_change_nothing_in_the_end(compose: Compose) -> None:
    study = Study(compose())
    trials = run(TrialQueue(study, never), workers=2, lose=(0, 3, 17, 20))
    assert {trial.trial_id for trial in trials} == {trial.trial_id for trial in run(TrialQueue(study, never))}


def test_a_failed_point_costs_its_cell_no_more_than_that_point(compose: Compose) -> None:
    queue = TrialQueue(Study(compose("study.tune.points=2", "study.replicate.seeds=1")), never)
    phases = []
    while (trial := queue.next()) is not None:
        phases.append(trial.phase)
        queue.end(trial.trial_id, Outcome(None if len(phases) == 1 else 0.5))
    assert phases == ["tune"] * 4 + ["replicate"] * 2


def test_a_cell_whose_every_point_failed_has_no_replicates(compose: Compose) -> None:
    queue = TrialQueue(Study(compose("study.tune.points=2", "study.replicate.seeds=3")), never)
    trials = []
    while (trial := queue.next()) is not None:
        trials.append(trial)
        queue.end(trial.trial_id, Outcome(None if trial.cell.label == "relu/3" else 0.5))
    assert {trial.cell.label for trial in trials if trial.phase == "replicate"} == {"sigmoid/3"}
    assert queue.idle
