"""How many trials a worker gets in one go."""

from collections.abc import Callable

import pytest

from actsweep.events import StudyRecord, TrialRecord, TrialStarted
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.tune.packs import MOST_TRIALS, Packer
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

Compose = Callable[..., StudyConfig]
WORDS = ("experiment=smoke", "study.tune.points=40", "study.replicate.seeds=40")


def packer_of(study: Study, *, slots: int = 2, seconds: float | None = None, stoppable: bool = False) -> Packer:
    """A packer where one trial of each cell has taken some seconds, or of none."""
    queue = TrialQueue(study, lambda trial: None, lambda event: None)
    packer = Packer(study, queue, StudyRecord(), slots, lambda trial: stoppable and trial.phase == "tune")
    for cell in study.cells:
        if seconds is not None:
            trial = study.tune_trial(cell, 0, {"optimizer.lr": 0.01})
            packer.ended(cell, completed(trial, seconds))
    return packer


def completed(trial: Trial, seconds: float, status: str = "completed") -> TrialRecord:
    start = TrialStarted(trial.trial_id, 1, "tune", 0, 0, trial.cell.values, trial.nuisance, 0.0)
    return TrialRecord(start, status, [{"epoch": 0, "wall": seconds / 2}, {"epoch": 1, "wall": seconds}])


@pytest.fixture
def study(compose: Compose) -> Study:
    return Study(compose(*WORDS))


def sizes(packer: Packer) -> list[int]:
    found = []
    while pack := packer.next():
        found.append(len(pack))
    return found


def test_a_trial_of_which_nothing_is_known_goes_by_itself(study: Study) -> None:
    assert sizes(packer_of(study)) == [1] * 80


@pytest.mark.parametrize(("seconds", "size"), [(60.0, 1), (5.0, 1), (2.0, 3), (1.0, 5), (0.5, 10)])
def test_a_pack_takes_about_five_seconds(study: Study, seconds: float, size: int) -> None:
    assert len(packer_of(study, seconds=seconds).next()) == size


def test_towards_the_end_packs_get_smaller_and_no_trial_is_left(study: Study) -> None:
    found = sizes(packer_of(study, seconds=0.01))
    assert sum(found) == 80
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (20, 1)


def test_a_pack_has_a_largest_size(compose: Compose) -> None:
    study = Study(compose("experiment=smoke", "study.tune.points=2000"))
    assert len(packer_of(study, seconds=1e-9).next()) == MOST_TRIALS


def test_each_trial_is_handed_out_once(study: Study) -> None:
    packer = packer_of(study, seconds=1.0)
    names = []
    while pack := packer.next():
        names += [trial.trial_id for trial in pack]
    assert len(names) == len(set(names)) == 80


def test_what_was_stopped_early_says_nothing_of_how_long_trials_take(study: Study) -> None:
    packer = packer_of(study)
    for cell in study.cells:
        packer.ended(cell, completed(study.tune_trial(cell, 0, {"optimizer.lr": 0.01}), 0.1, "stopped"))
    assert len(packer.next()) == 1


def test_an_earlier_driver_has_seen_how_long_trials_take(study: Study) -> None:
    record = StudyRecord()
    for cell in study.cells:
        trial = study.tune_trial(cell, 0, {"optimizer.lr": 0.01})
        record.trials[trial.trial_id] = completed(trial, 1.0)
    queue = TrialQueue(study, lambda trial: None, lambda event: None)
    assert len(Packer(study, queue, record, 2, lambda trial: False).next()) == 5


def test_a_trial_that_may_be_stopped_goes_by_itself_also_after_others(compose: Compose) -> None:
    """A block whose tuning is settled has replicates, while points of others are still learned one by one."""
    study = Study(compose(*WORDS, "search=tpe", "study.tune.points=2", "search.startup=1"))
    queue = TrialQueue(study, lambda trial: None, lambda event: None)
    packer = Packer(study, queue, StudyRecord(), 1, lambda trial: trial.phase == "tune")
    for cell in study.cells:
        packer.ended(cell, completed(study.tune_trial(cell, 0, {"optimizer.lr": 0.01}), 0.1))
    seen: list[tuple[Trial, ...]] = []
    while pack := packer.next():
        seen.append(pack)
        for trial in pack:
            queue.end(trial.trial_id, Outcome(0.5))
    assert sum(len(pack) for pack in seen) == 2 * (2 + 40)
    assert all(len(pack) == 1 for pack in seen if pack[0].phase == "tune")
    assert all(trial.phase == "replicate" for pack in seen if len(pack) > 1 for trial in pack)
    assert max(len(pack) for pack in seen) > 1


@pytest.mark.parametrize(("seconds", "first"), [(None, 4), (60.0, 4), (5.0, 4), (1.0, 20), (0.01, 20)])
def test_a_pack_holds_at_least_those_that_train_side_by_side(
    compose: Compose, seconds: float | None, first: int
) -> None:
    study = Study(compose(*WORDS, "cluster.side_by_side=4"))
    found = sizes(packer_of(study, seconds=seconds))
    assert found[0] == first
    assert sum(found) == 80
    assert found[-1] == 1  # the last ones are shared among all workers


def test_what_may_be_stopped_trains_by_itself(compose: Compose) -> None:
    study = Study(compose(*WORDS, "cluster.side_by_side=4"))
    packer = packer_of(study, stoppable=True)
    assert len(packer.next()) == 1


def test_a_trial_that_is_to_have_a_gpu_for_itself_goes_by_itself(study: Study) -> None:
    queue = TrialQueue(study, lambda trial: None, lambda event: None)
    alone: set[str] = set()
    packer = Packer(study, queue, StudyRecord(), 1, lambda trial: False, alone)
    for cell in study.cells:
        packer.ended(cell, completed(study.tune_trial(cell, 0, {"optimizer.lr": 0.01}), 0.01))
    lost, *others = packer.next()
    assert others
    alone.add(lost.trial_id)
    queue.retry(lost.trial_id)
    assert packer.next() == (lost,)
    assert packer.is_alone(lost)
    assert len(packer.next()) > 1
