"""When the driver ends the worker of a trial that does not end by itself."""

from types import SimpleNamespace
from typing import Any

import pytest

from actsweep.search.tune.hung import STARTING_SECONDS, TrialWatch, driver_seconds
from actsweep.worker import worker_seconds

LIMIT = 100.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    found: list[object] = []
    monkeypatch.setattr("ray.kill", found.append)
    return found


def trial(name: str = "one") -> Any:
    return SimpleNamespace(trial_id=name, temporary_state=SimpleNamespace(ray_actor=name))


def test_the_worker_has_time_to_end_a_trial_before_the_driver_does() -> None:
    for limit in (0.1, 10.0, 1e6):
        assert limit < worker_seconds(limit) < driver_seconds(limit)


def test_a_trial_that_has_reported_is_ended_once_after_the_drivers_patience(killed: list[object]) -> None:
    watch, one = TrialWatch(clock := Clock()), trial()
    watch.begin(one, 0, LIMIT)
    watch.heard(one, 0)
    clock.now += driver_seconds(LIMIT)
    watch.heard(one, 0)
    watch.end_overdue()
    assert killed == []
    clock.now += 1
    watch.end_overdue()
    watch.end_overdue()
    assert killed == ["one"]
    assert watch.end(one, 0)


def test_a_trial_that_has_not_reported_yet_may_still_wait_for_its_data(killed: list[object]) -> None:
    watch = TrialWatch(clock := Clock())
    watch.begin(trial(), 0, LIMIT)
    clock.now += driver_seconds(LIMIT) + STARTING_SECONDS
    watch.end_overdue()
    assert killed == []
    clock.now += 1
    watch.end_overdue()
    assert killed == ["one"]


def test_without_a_limit_nothing_is_ended_or_too_long(killed: list[object]) -> None:
    watch, one = TrialWatch(clock := Clock()), trial()
    watch.begin(one, 0, None)
    watch.heard(one, 0)
    clock.now += 1e9
    watch.end_overdue()
    assert not watch.end(one, 0)
    assert killed == []


def test_a_trial_that_ended_in_time_is_forgotten(killed: list[object]) -> None:
    watch, one = TrialWatch(clock := Clock()), trial()
    watch.begin(one, 0, LIMIT)
    clock.now += LIMIT - 1
    assert not watch.end(one, 0)
    clock.now += 1e9
    watch.end_overdue()
    assert killed == []
