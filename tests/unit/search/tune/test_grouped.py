"""One scheduler per group, with Tune's own schedulers and trials, asked in the way that Tune's controller does."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from ray import cloudpickle
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler, MedianStoppingRule, PopulationBasedTraining

from actsweep.errors import RequestError
from actsweep.search import GroupedScheduler

EPOCHS = 9
CONTINUE, STOP = "CONTINUE", "STOP"


def asha(**options: Any) -> ASHAScheduler:
    return ASHAScheduler("epoch", max_t=EPOCHS, grace_period=1, reduction_factor=3, stop_last_trials=False, **options)


def grouped(spared: Any = 0.0, by: Any = "arm") -> GroupedScheduler:
    scheduler = GroupedScheduler(asha(), by, spared)
    assert scheduler.set_search_properties("acc", "max")
    return scheduler


def add(scheduler: GroupedScheduler, trial_id: str, **config: Any) -> Trial:
    trial = Trial("none", stub=True, trial_id=trial_id, config=config)
    scheduler.on_trial_add(None, trial)
    return trial


def report(scheduler: GroupedScheduler, trial: Trial, epoch: int, accuracy: float) -> str:
    """A result; a trial that is stopped completes, as Tune says it."""
    result = {"epoch": epoch, "acc": accuracy}
    answer = scheduler.on_trial_result(None, trial, result)
    if answer == STOP:
        scheduler.on_trial_complete(None, trial, result)
    return answer


def test_a_slower_group_is_not_stopped_for_being_slower() -> None:
    scheduler = grouped()
    fast, slow, slower = (
        add(scheduler, "a", arm="relu"),
        add(scheduler, "b", arm="tanh"),
        add(scheduler, "c", arm="tanh"),
    )
    assert report(scheduler, fast, 1, 0.9) == CONTINUE
    assert report(scheduler, slow, 1, 0.3) == CONTINUE
    assert report(scheduler, slower, 1, 0.2) == STOP
    assert scheduler.stops == {"c": {"epoch": 1, "acc": 0.2}}


def test_the_group_may_be_a_function_of_the_configuration_and_none_is_no_group() -> None:
    scheduler = grouped(by=lambda config: config["model"]["arm"] if config["phase"] == "tune" else None)
    first = add(scheduler, "a", phase="tune", model={"arm": "relu"})
    replicate = add(scheduler, "b", phase="replicate", model={"arm": "relu"})
    second = add(scheduler, "c", phase="tune", model={"arm": "relu"})
    assert report(scheduler, first, 1, 0.5) == CONTINUE
    assert report(scheduler, replicate, 1, 0.9) == CONTINUE
    assert report(scheduler, replicate, 3, 0.0) == CONTINUE
    assert report(scheduler, second, 1, 0.6) == CONTINUE  # 0.9 would be above it
    scheduler.on_trial_complete(None, replicate, {"epoch": EPOCHS, "acc": 0.0})


def test_a_spared_trial_counts_goes_on_and_is_no_longer_seen() -> None:
    scheduler = grouped(spared=lambda config: config["spare"])
    best, spared = add(scheduler, "a", arm="relu", spare=False), add(scheduler, "b", arm="relu", spare=True)
    late = add(scheduler, "c", arm="relu", spare=False)
    assert report(scheduler, best, 1, 0.5) == CONTINUE
    assert report(scheduler, spared, 1, 0.4) == CONTINUE
    assert report(scheduler, spared, 3, 0.99) == CONTINUE
    scheduler.on_trial_complete(None, spared, {"epoch": EPOCHS, "acc": 0.99})
    assert report(scheduler, late, 1, 0.6) == CONTINUE
    assert report(scheduler, late, 3, 0.6) == CONTINUE  # 0.99 would be above it
    assert scheduler.stops == {"b": {"epoch": 1, "acc": 0.4}}


def test_a_share_of_each_group_is_spared_evenly_and_a_trial_that_comes_again_keeps_its_place() -> None:
    scheduler = grouped(spared=0.5)
    for arm in ("relu", "tanh"):
        trials = [add(scheduler, f"{arm}{number}", arm=arm) for number in range(5)]
        scheduler.on_trial_error(None, trials[0])
        scheduler.on_trial_add(None, trials[0])
        answers = [report(scheduler, trial, 1, 0.9 - 0.1 * number) for number, trial in enumerate(trials)]
        assert answers == [CONTINUE, CONTINUE, STOP, CONTINUE, STOP]
    assert set(scheduler.stops) == {f"{arm}{number}" for arm in ("relu", "tanh") for number in range(1, 5)}


def test_decisions_within_a_group_are_those_of_the_scheduler_alone() -> None:
    scheduler, alone = grouped(), asha(metric="acc", mode="max")
    for number in range(30):
        trial = add(scheduler, f"t{number}", arm="relu")
        alone.on_trial_add(None, trial)
        for epoch in range(1, EPOCHS):
            result = {"epoch": epoch, "acc": (number * 7 % 11 + epoch) / 20}
            answer = alone.on_trial_result(None, trial, result)
            assert scheduler.on_trial_result(None, trial, dict(result)) == answer
            if answer == STOP:
                break


def test_any_scheduler_that_only_stops_trials_will_do() -> None:
    scheduler = GroupedScheduler(MedianStoppingRule("epoch", grace_period=1, min_samples_required=1), "arm")
    assert scheduler.set_search_properties("acc", "max")
    good, bad = add(scheduler, "a", arm="relu"), add(scheduler, "b", arm="relu")
    controller = SimpleNamespace(get_live_trials=lambda: [])
    assert scheduler.on_trial_result(controller, good, {"epoch": 2, "acc": 0.9}) == CONTINUE
    assert report(scheduler, bad, 2, 0.1) == STOP


def test_metric_and_mode_are_given_once() -> None:
    assert grouped().metric == "acc"
    assert not GroupedScheduler(asha(metric="acc", mode="max"), "arm").set_search_properties("acc", "max")
    assert GroupedScheduler(asha(metric="acc", mode="max"), "arm").set_search_properties(None, None)


def test_trials_begin_in_the_order_in_which_they_came_and_may_go_before() -> None:
    scheduler = grouped()
    first, second = add(scheduler, "a", arm="relu"), add(scheduler, "b", arm="tanh")
    controller = SimpleNamespace(get_trials=lambda: [first, second])
    assert scheduler.choose_trial_to_run(controller) is first
    scheduler.on_trial_remove(None, first)
    first.status = Trial.TERMINATED
    assert scheduler.choose_trial_to_run(controller) is second


def test_it_is_pickled_with_all_that_it_knows_as_tune_pickles_it() -> None:
    scheduler = grouped(by=lambda config: config["arm"])
    report(scheduler, add(scheduler, "a", arm="relu"), 1, 0.5)
    for again in (cloudpickle.loads(cloudpickle.dumps(scheduler)), copy.deepcopy(scheduler)):
        assert report(again, add(again, "b", arm="relu"), 1, 0.4) == STOP
    assert not scheduler.stops
    assert "relu: Using AsyncHyperBand" in scheduler.debug_string()


@pytest.mark.parametrize(
    "scheduler", [HyperBandScheduler(), PopulationBasedTraining(hyperparam_mutations={"lr": [0.1, 1]})]
)
def test_a_scheduler_that_chooses_the_next_trial_is_refused(scheduler: Any) -> None:
    with pytest.raises(RequestError, match=f"scheduler={type(scheduler).__name__}: chooses which trial runs next"):
        GroupedScheduler(scheduler, "arm")


def test_a_share_that_is_none_and_a_trial_of_unknown_group_are_refused() -> None:
    with pytest.raises(RequestError, match="spared=2: needs a share from 0 to 1"):
        grouped(spared=2)
    with pytest.raises(RequestError, match="by='arm': no such key is in a trial's configuration, which has lr, seed"):
        add(grouped(), "a", lr=0.1, seed=0)


def test_a_spared_trial_is_not_paused_either() -> None:
    class Pausing(ASHAScheduler):
        def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
            return "PAUSE"

    for spared, answer in ((1.0, CONTINUE), (0.0, "PAUSE")):
        scheduler = GroupedScheduler(Pausing("epoch", "acc", "max"), "arm", spared)
        assert report(scheduler, add(scheduler, "a", arm="relu"), 1, 0.5) == answer
        assert set(scheduler.stops) == ({"a"} if spared else set())


@pytest.mark.parametrize("scheduler", ["asha", ASHAScheduler])
def test_what_is_no_scheduler_is_refused(scheduler: Any) -> None:
    with pytest.raises(RequestError, match="needs a scheduler of Ray Tune's, such as ASHAScheduler"):
        GroupedScheduler(scheduler, "arm")
