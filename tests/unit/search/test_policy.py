"""What follows from a failed attempt."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actsweep.events import FailureReason, TrialFailed, TrialStarted
from actsweep.records import EventStream, Ledger, read_ledger
from actsweep.search.giving_up import GivingUp
from actsweep.search.policy import FailurePolicy
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial
from actsweep.system.halt import Halt


class Driver:
    """A policy over a real ledger."""

    def __init__(self, study: Study, ledger: Ledger, retries: int) -> None:
        stream = EventStream(ledger, [])
        self.halt = Halt()
        self.alone: set[str] = set()
        self.policy = FailurePolicy(retries, self.alone, stream, GivingUp(study, stream), self.halt)
        self.stream, self.study = stream, study

    def trial(self, number: int = 0) -> Trial:
        return self.study.tune_trial(self.study.cells[0], 0, {"optimizer.lr": 0.01 * (1 + number)})

    def fail(self, trial: Trial, reason: FailureReason, message: str = "no") -> bool:
        earlier = self.stream.record.trials.get(trial.trial_id)
        attempt = earlier.started.attempt + 1 if earlier else 1
        self.stream(TrialStarted(trial.trial_id, attempt, "tune", 0, 1, trial.cell.values, trial.nuisance, 0.0))
        return self.policy.failed(trial, attempt, reason, message)


@pytest.fixture
def study(compose: Callable[..., StudyConfig]) -> Study:
    return Study(compose("experiment=smoke"))


@pytest.fixture
def driver(study: Study, tmp_path: Path) -> Iterator[Driver]:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        yield Driver(study, ledger, retries=2)


def test_lost_workers_and_short_memory_count_together_and_for_each_trial(driver: Driver) -> None:
    first, second = driver.trial(0), driver.trial(1)
    assert [driver.fail(first, reason) for reason in ("lost", "memory", "lost")] == [True, True, False]
    assert driver.fail(second, "memory")


def test_attempts_under_an_earlier_driver_do_not_count(study: Study, tmp_path: Path) -> None:
    for _ in range(2):
        with Ledger(tmp_path / "ledger.jsonl") as ledger:
            driver = Driver(study, ledger, retries=1)
            assert [driver.fail(driver.trial(), "lost") for _ in range(2)] == [True, False]


@pytest.mark.parametrize("reason", ["error", "data", "timeout"])
def test_what_would_only_come_again_is_not_retried(driver: Driver, reason: FailureReason) -> None:
    assert not driver.fail(driver.trial(), reason)


def test_short_gpu_memory_earns_one_more_attempt_with_the_whole_gpu(driver: Driver) -> None:
    first, second = driver.trial(0), driver.trial(1)
    assert driver.fail(first, "gpu_memory")
    assert driver.alone == {first.trial_id}
    assert not driver.fail(first, "gpu_memory", "CUDA out of memory. Tried to allocate 40.00 GiB.")
    assert driver.stream.record.trials[first.trial_id].message == "CUDA out of memory. Tried to allocate 40.00 GiB."
    assert driver.fail(second, "lost")
    assert driver.fail(second, "gpu_memory")


@pytest.mark.parametrize("reason", ["lost", "gpu_memory"])
def test_without_retries_nothing_is_retried(study: Study, tmp_path: Path, reason: FailureReason) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(study, ledger, retries=0)
        assert not driver.fail(driver.trial(), reason)
        assert driver.alone == set()


@pytest.mark.parametrize(
    ("reason", "halted"),
    [("disk", "the disk is full: first"), ("storage", "the storage of checkpoints does not answer: first")],
)
def test_what_no_trial_can_do_without_halts_the_study_whatever_is_left_of_retries(
    driver: Driver, reason: FailureReason, halted: str
) -> None:
    assert [driver.fail(driver.trial(), reason, said) for said in ("first", "second", "third")] == [True] * 3
    assert driver.halt.is_set()
    assert driver.halt.reason == halted


def test_where_the_user_has_asked_for_the_end_that_stays_the_reason(driver: Driver) -> None:
    driver.halt.set()
    driver.fail(driver.trial(), "disk")
    assert driver.halt.reason is None


def test_no_secret_is_recorded(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a-canary-in-a-mine")
    driver.fail(driver.trial(), "error", "ValueError: a-canary-in-a-mine is no number")
    (record,) = driver.stream.record.trials.values()
    assert record.message == "ValueError: [redacted] is no number"


def test_a_message_of_any_length_leaves_a_ledger_that_can_be_read(study: Study, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(study, ledger, retries=0)
        driver.fail(driver.trial(), "error", "\N{GRINNING FACE}" * 2**20)
    failed = read_ledger(tmp_path / "ledger.jsonl").events[-1]
    assert isinstance(failed, TrialFailed)
    assert len(failed.message) == 2000
