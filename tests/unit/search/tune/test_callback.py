"""What Tune sees becomes events, and the queue learns how trials ended; Tune's trials are stood in for by their ids."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actsweep.events import Event, TrialFailed, TrialFinished, TrialStarted
from actsweep.records import EventStream, Ledger
from actsweep.search.giving_up import GivingUp
from actsweep.search.outcomes import Outcomes
from actsweep.search.policy import FailurePolicy
from actsweep.search.queue import TrialQueue
from actsweep.search.tune.callback import EventCallback
from actsweep.search.tune.hung import TrialWatch
from actsweep.search.tune.packs import Pack, Packer
from actsweep.search.tune.scheduler import Decision
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial
from actsweep.system.halt import Halt

ROWS = [
    {"row": {"epoch": epoch, "val_acc": accuracy, "train_loss": 1.0, "wall": 0.1 * epoch}}
    for epoch, accuracy in enumerate((0.1, 0.6, 0.5))
]
WEIGHTS = {"last.ckpt": "ab", "best.ckpt": "cd"}
COMPLETED = {"end": {"status": "completed", "final": {"test_acc": 0.5}, "weights": WEIGHTS}}


def failure(said: str, reason: str) -> dict[str, Any]:
    return {"end": {"failure": said, "reason": reason}}


class Driver:
    """A queue and a callback as a sweep has them, over a real ledger."""

    def __init__(self, study: Study, ledger: Ledger) -> None:
        self.study = study
        self.events: list[Event] = []
        self.packs: dict[str, Pack] = {}
        stream = EventStream(ledger, [self.events.append])
        self.queue = TrialQueue(study, lambda trial: None, stream)
        self.record = stream.record
        self.halt = Halt()
        self.now = 0.0
        policy = FailurePolicy(2, set(), stream, GivingUp(study, stream), self.halt)
        watch = TrialWatch(lambda: self.now)
        packer = Packer(study, self.queue, self.record, 1, lambda trial: False)
        outcomes = Outcomes(study, 10)
        self.callback = EventCallback(self.queue, packer, self.packs, stream, outcomes, None, policy, watch)

    def suggest(self, trials: int = 1, side_by_side: int = 1) -> Any:
        """What Tune takes for a trial: a pack of ours."""
        attempts = []
        for _ in range(trials):
            trial = self.queue.next()
            assert trial is not None
            earlier = self.record.trials.get(trial.trial_id)
            attempts.append((trial, earlier.started.attempt + 1 if earlier else 1))
        self.packs[name := f"tune{len(self.packs)}"] = Pack(attempts, side_by_side)
        return SimpleNamespace(trial_id=name, error_file=None)

    def ours(self, trial: Any) -> Trial:
        return self.packs[trial.trial_id].attempts[0][0]

    def start(self, trial: Any) -> None:
        self.callback.on_trial_start(0, [], trial)

    def result(self, trial: Any, *reports: dict[str, Any]) -> None:
        """Reports of trials one after the other, from the first that runs on, where they have no place of their own."""
        place, placed = self.packs[trial.trial_id].running[0], []
        for report in reports:
            placed.append({"place": place, **report})
            place += "end" in report
        self.callback.on_trial_result(0, [], trial, {"reports": placed})

    def error(self, trial: Any) -> None:
        self.callback.on_trial_error(0, [], trial)


@pytest.fixture
def driver(compose: Callable[..., StudyConfig], tmp_path: Path) -> Iterator[Driver]:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        yield Driver(Study(compose("experiment=smoke", "study.tune.spare=0.5")), ledger)


def test_a_trial_begins_reports_and_ends(driver: Driver) -> None:
    trial = driver.suggest()
    driver.start(trial)
    driver.result(trial, *ROWS[:2])
    driver.result(trial, *ROWS[2:], COMPLETED)
    assert [event.kind for event in driver.events] == ["trial_started", *["evaluation"] * 3, "finished"]
    (record,) = driver.record.trials.values()
    assert (record.status, record.final, len(record.rows)) == ("completed", {"test_acc": 0.5}, 3)
    assert isinstance(finished := driver.events[-1], TrialFinished)
    assert finished.weights == WEIGHTS
    assert driver.queue.idle


def test_the_trials_of_a_pack_begin_and_end_one_after_the_other(driver: Driver) -> None:
    pack = driver.suggest(3)
    driver.start(pack)
    driver.result(pack, *ROWS, COMPLETED, *ROWS[:1])
    driver.result(pack, *ROWS[1:], COMPLETED, *ROWS, COMPLETED)
    of_one = ["trial_started", *["evaluation"] * 3, "finished"]
    assert [event.kind for event in driver.events if event.kind != "chosen"] == of_one * 3
    assert [record.status for record in driver.record.trials.values()] == ["completed"] * 3
    assert driver.queue.idle


def test_a_pack_goes_on_after_a_trial_that_fails(driver: Driver) -> None:
    pack = driver.suggest(3)
    driver.start(pack)
    driver.result(pack, *ROWS, COMPLETED, ROWS[0], failure("ValueError: no", "error"), *ROWS, COMPLETED)
    assert [record.status for record in driver.record.trials.values()] == ["completed", "failed", "completed"]
    assert driver.queue.idle


def test_of_a_pack_whose_worker_is_lost_only_the_trial_that_ran_has_failed(driver: Driver) -> None:
    pack = driver.suggest(4)
    names = [trial.trial_id for trial, _ in driver.packs[pack.trial_id].attempts]
    driver.start(pack)
    driver.result(pack, *ROWS, COMPLETED, ROWS[0])
    driver.error(pack)
    assert [driver.record.trials[name].status for name in names[:2]] == ["completed", "waiting"]
    assert list(driver.record.trials) == names[:2]
    again = driver.suggest(3)
    assert [(trial.trial_id, attempt) for trial, attempt in driver.packs[again.trial_id].attempts] == [
        *((names[1], 2), (names[2], 1), (names[3], 1))
    ]


def test_trials_side_by_side_begin_together_and_another_whenever_one_ends(driver: Driver) -> None:
    pack = driver.suggest(3, side_by_side=2)
    names = [trial.trial_id for trial, _ in driver.packs[pack.trial_id].attempts]
    driver.start(pack)
    assert list(driver.record.trials) == names[:2]
    first, second = ({"place": place} for place in (0, 1))
    driver.result(pack, ROWS[0] | first, ROWS[0] | second, ROWS[1] | second, COMPLETED | second, ROWS[1] | first)
    assert [driver.record.trials[name].status for name in names] == ["running", "completed", "running"]
    assert [len(driver.record.trials[name].rows) for name in names] == [2, 2, 0]
    driver.result(pack, COMPLETED | first, ROWS[0] | {"place": 2}, COMPLETED | {"place": 2})
    assert [record.status for record in driver.record.trials.values()] == ["completed"] * 3
    assert driver.queue.idle


def test_a_worker_that_is_lost_takes_all_that_train_side_by_side_with_it_and_no_other(driver: Driver) -> None:
    pack = driver.suggest(4, side_by_side=2)
    names = [trial.trial_id for trial, _ in driver.packs[pack.trial_id].attempts]
    driver.start(pack)
    driver.result(pack, *ROWS, COMPLETED)
    driver.error(pack)
    assert list(driver.record.trials) == names[:3]
    assert [driver.record.trials[name].status for name in names[:3]] == ["completed", "waiting", "waiting"]
    again = driver.suggest(3)
    assert [(trial.trial_id, attempt) for trial, attempt in driver.packs[again.trial_id].attempts] == [
        *((names[1], 2), (names[2], 2), (names[3], 1))
    ]


def test_a_worker_that_is_lost_after_its_last_trial_takes_nothing_with_it(driver: Driver) -> None:
    pack = driver.suggest(2)
    driver.start(pack)
    driver.result(pack, *ROWS, COMPLETED, *ROWS, COMPLETED)
    before = list(driver.events)
    driver.error(pack)
    assert driver.events == before


def test_what_ends_in_one_result_is_written_in_one_go(compose: Callable[..., StudyConfig], tmp_path: Path) -> None:
    written: list[int] = []

    class Watched(Ledger):
        def __call__(self, *events: Event) -> None:
            super().__call__(*events)
            written.append(len(events))

    with Watched(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(Study(compose("experiment=smoke")), ledger)
        pack = driver.suggest(3)
        driver.start(pack)
        driver.result(pack, *(*ROWS, COMPLETED) * 3)
    assert written[:2] == [1, 14]


@pytest.mark.parametrize(("seconds", "reason"), [(99, "lost"), (101, "timeout")])
def test_each_trial_of_a_pack_has_the_time_limit_for_itself(
    compose: Callable[..., StudyConfig], tmp_path: Path, seconds: float, reason: str
) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(Study(compose("experiment=smoke", "trainer.trial_timeout=100")), ledger)
        pack = driver.suggest(2)
        driver.start(pack)
        driver.now = 90
        driver.result(pack, *ROWS, COMPLETED)
        driver.now += seconds
        driver.error(pack)
        failed = driver.events[-1]
        assert isinstance(failed, TrialFailed)
        assert failed.reason == reason


def test_a_trials_own_error_is_final(driver: Driver) -> None:
    trial = driver.suggest()
    driver.start(trial)
    driver.result(trial, ROWS[0], failure("ValueError: no", "error"))
    failed = driver.events[-1]
    assert isinstance(failed, TrialFailed)
    assert (failed.reason, failed.message, failed.will_retry) == ("error", "ValueError: no", False)
    assert driver.queue.idle


def test_a_lost_worker_is_tried_again_a_bounded_number_of_times(driver: Driver) -> None:
    names = set()
    for attempt in (1, 2, 3):
        trial = driver.suggest()
        names.add(driver.ours(trial).trial_id)
        driver.start(trial)
        driver.error(trial)
        failed = driver.events[-1]
        assert isinstance(failed, TrialFailed)
        assert (failed.attempt, failed.reason, failed.will_retry) == (attempt, "lost", attempt < 3)
    assert len(names) == 1
    assert driver.queue.idle


def test_a_full_disk_halts_the_study_and_leaves_the_trial_for_another_time(driver: Driver) -> None:
    trial = driver.suggest()
    driver.start(trial)
    driver.result(trial, failure("[Errno 28] No space left on device: 'last.ckpt'", "disk"))
    assert driver.halt.reason == "the disk is full: [Errno 28] No space left on device: 'last.ckpt'"
    assert [record.status for record in driver.record.trials.values()] == ["waiting"]


def test_why_a_worker_ended_is_told_from_what_ray_says(driver: Driver, tmp_path: Path) -> None:
    trial = driver.suggest()
    driver.start(trial)
    trial.error_file = str(tmp_path / "error.txt")
    Path(trial.error_file).write_text("Failure # 1\n2 worker(s) were killed due to the node running low on memory.\n")
    driver.error(trial)
    failed = driver.events[-1]
    assert isinstance(failed, TrialFailed)
    assert (failed.reason, failed.will_retry) == ("memory", True)
    assert failed.message == "2 worker(s) were killed due to the node running low on memory."


@pytest.mark.parametrize(("seconds", "reason"), [(99, "lost"), (101, "timeout")])
def test_a_worker_that_ends_after_the_time_limit_was_ended_for_it(
    compose: Callable[..., StudyConfig], tmp_path: Path, seconds: float, reason: str
) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(Study(compose("experiment=smoke", "trainer.trial_timeout=100")), ledger)
        trial = driver.suggest()
        driver.start(trial)
        driver.now = seconds
        driver.error(trial)
        failed = driver.events[-1]
        assert isinstance(failed, TrialFailed)
        assert (failed.reason, failed.will_retry) == (reason, reason == "lost")


def test_a_worker_lost_before_the_trial_began_costs_an_attempt_too(driver: Driver) -> None:
    driver.error(driver.suggest())
    again = driver.suggest()
    driver.error(again)
    starts = [event.attempt for event in driver.events if isinstance(event, TrialStarted)]
    assert starts == [1, 2]
    assert [event.kind for event in driver.events] == ["trial_started", "failed"] * 2


class Decided:
    """Schedulers that decide as they are told."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def taken(self, tune_trial_id: str) -> Decision:
        return self.decision


@pytest.mark.parametrize(("spared", "kind"), [(False, "stopped"), (True, "stop_spared")])
def test_a_stop_is_on_the_disk_with_the_rows_it_follows_from_or_not_at_all(
    compose: Callable[..., StudyConfig], tmp_path: Path, spared: bool, kind: str
) -> None:
    """Refilled rungs would not take the decision again for a trial whose driver was killed between the two."""

    class Watched(Ledger):
        def __call__(self, *events: Event) -> None:
            super().__call__(*events)
            written.append([event.kind for event in events])

    written: list[list[str]] = []
    with Watched(tmp_path / "ledger.jsonl") as ledger:
        driver = Driver(Study(compose("experiment=smoke", "study.tune.spare=0.5")), ledger)
        driver.callback._schedulers = Decided(Decision(1, spared))  # type: ignore[assignment]
        trial = driver.suggest()
        driver.start(trial)
        driver.result(trial, ROWS[0])
        assert written[1:] == [["evaluation", kind]]
        assert driver.queue.idle is not spared


def test_a_failed_point_is_not_tried_again_once_its_block_is_settled(driver: Driver) -> None:
    """A resumed study must not come to another choice than the one that its replicates were trained at."""
    cells: dict[str, list[str]] = {}
    while not any(isinstance(e, TrialStarted) and e.phase == "replicate" for e in driver.events):
        trial = driver.suggest()
        ours = driver.ours(trial)
        driver.start(trial)
        tried = cells.setdefault(ours.cell.label, [])
        tried.append(ours.trial_id)
        end = failure("no", "error") if len(tried) == 1 and ours.phase == "tune" else COMPLETED
        driver.result(trial, *ROWS, end)
    outcomes = Outcomes(driver.study, 10)
    failed = {cell: tried[0] for cell, tried in cells.items()}
    settled = {next(iter(dict(values).values())) for values, _ in driver.record.chosen}
    assert settled
    for cell, trial_id in failed.items():
        known = outcomes.known(driver.record, trial_id)
        assert (known is not None and known.best_val_acc is None) is (cell.split("/")[0] in settled)


def test_the_outcome_is_the_analysis_own_best_accuracy(driver: Driver) -> None:
    trial = driver.suggest()
    driver.start(trial)
    driver.result(trial, *ROWS, COMPLETED)
    outcomes = Outcomes(driver.study, classes=10)
    (record,) = driver.record.trials.values()
    assert outcomes.of(record).best_val_acc == 0.6
    record.status = "diverged"
    assert outcomes.of(record).best_val_acc == pytest.approx(0.1)


def test_a_spared_trial_says_so_when_it_begins(driver: Driver) -> None:
    trials = [driver.suggest() for _ in range(4)]
    for trial in trials:
        driver.start(trial)
    spared = {trial_id for trial_id, record in driver.record.trials.items() if record.started.spared}
    assert len(spared) == 2
    assert spared == {driver.ours(trial).trial_id for trial in trials if driver.ours(trial).spared}
