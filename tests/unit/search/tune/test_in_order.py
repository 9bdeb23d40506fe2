"""The order in which trials begin, with Tune's own trials."""

from ray.tune.experiment import Trial

from actsweep.search.tune.in_order import InOrder


def added(scheduler: InOrder, number: int) -> list[Trial]:
    trials = [Trial("none", stub=True, trial_id=f"t{index}") for index in range(number)]
    for trial in trials:
        scheduler.on_trial_add(None, trial)
    return trials


def test_the_trial_that_has_waited_longest_is_next_until_it_runs() -> None:
    scheduler = InOrder()
    first, second, third = added(scheduler, 3)
    assert scheduler.choose_trial_to_run(None) is first
    assert scheduler.choose_trial_to_run(None) is first
    first.status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(None) is second
    second.status = Trial.ERROR
    assert scheduler.choose_trial_to_run(None) is third
    third.status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(None) is None


def test_a_trial_that_comes_later_gets_its_turn() -> None:
    scheduler = InOrder()
    (first,) = added(scheduler, 1)
    first.status = Trial.TERMINATED
    assert scheduler.choose_trial_to_run(None) is None
    (second,) = added(scheduler, 1)
    assert scheduler.choose_trial_to_run(None) is second
