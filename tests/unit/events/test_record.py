"""What events lead to, one by one."""

from dataclasses import replace

from actsweep.events import (
    CellGivenUp,
    Evaluation,
    Event,
    PointChosen,
    RangeWidened,
    StopSpared,
    StudyExtended,
    StudyFinished,
    StudyRecord,
    StudyResumed,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from ledgers import EVENTS, START

RELU, TANH = {"model.activation": "relu"}, {"model.activation": "tanh"}
LOW, HIGH = {"optimizer.lr": 0.01}, {"optimizer.lr": 0.1}


def record(*events: Event) -> StudyRecord:
    found = StudyRecord()
    for event in events:
        found(event)
    return found


class TestTrials:
    def test_a_new_attempt_starts_from_nothing(self) -> None:
        second = replace(START, attempt=2)
        late = Evaluation(START.trial_id, 1, {"epoch": 2, "val_acc": 0.9}, 9.0)
        row = Evaluation(START.trial_id, 2, {"epoch": 0, "val_acc": 0.2}, 9.0)
        trial = record(*EVENTS[:5], second, late, row).trials[START.trial_id]
        assert (trial.status, trial.rows) == ("running", [row.row])

    def test_the_end_counts_for_its_own_attempt_only(self) -> None:
        trial = record(*EVENTS).trials[START.trial_id]
        assert (trial.status, trial.has_result) == ("waiting", False)

    def test_what_a_lost_driver_left_running_waits_for_another_attempt(self) -> None:
        assert record(START, StudyResumed(0, 9.0)).trials[START.trial_id].status == "waiting"

    def test_one_that_diverged_or_was_stopped_has_a_result_and_one_that_failed_for_good_has_ended(self) -> None:
        ends: list[tuple[Event, tuple[str, bool, bool]]] = [
            (TrialFinished(START.trial_id, 1, "diverged", {}, 3.0), ("diverged", True, True)),
            (TrialStopped(START.trial_id, 1, 4, 3.0), ("stopped", True, True)),
            (TrialFailed(START.trial_id, 1, "lost", "gone", False, 3.0), ("failed", False, True)),
            (TrialFailed(START.trial_id, 1, "lost", "gone", True, 3.0), ("waiting", False, False)),
            (StopSpared(START.trial_id, 1, 4, 3.0), ("running", False, False)),
        ]
        for end, expected in ends:
            trial = record(START, end).trials[START.trial_id]
            assert (trial.status, trial.has_result, trial.ended) == expected

    def test_the_epoch_of_a_stop_is_kept_also_of_one_that_was_spared(self) -> None:
        for kind in (TrialStopped, StopSpared):
            assert record(START, kind(START.trial_id, 1, 4, 3.0)).trials[START.trial_id].rung == 4

    def test_a_study_is_busy_while_one_runs(self) -> None:
        assert record(START).is_busy()
        assert not record(START, TrialStopped(START.trial_id, 1, 4, 3.0)).is_busy()


class TestStudy:
    def test_is_finished_until_it_is_resumed_or_extended(self) -> None:
        assert record(*EVENTS).finished
        assert not record(*EVENTS, StudyResumed(1, 9.0)).finished
        assert not record(*EVENTS, StudyExtended(2, [], {}, 9.0)).finished

    def test_an_extension_is_another_look_under_its_settings_and_opens_every_choice_again(self) -> None:
        chosen = PointChosen(RELU, 0, LOW, 3.0)
        found = record(*EVENTS, chosen, StudyExtended(2, [], {"seed": 2}, 9.0))
        assert (found.looks, found.settings, found.settled) == (2, {"seed": 2}, set())
        assert list(found.chosen.values()) == [LOW]
        assert record(*EVENTS, chosen).settled == set(found.chosen)

    def test_ranges_that_grew_are_kept_in_order(self) -> None:
        grown = [RangeWidened("optimizer.lr", "high", 3.0), RangeWidened("optimizer.lr", "low", 4.0)]
        assert record(*grown).widened == [("optimizer.lr", "high"), ("optimizer.lr", "low")]

    def test_a_cell_is_given_up_until_the_next_driver(self) -> None:
        event = CellGivenUp(RELU, 3, "they all fail", 3.0)
        assert list(record(event).given_up.values()) == ["they all fail"]
        assert record(event, StudyResumed(0, 9.0)).given_up == {}

    def test_ends_with_its_last_event(self) -> None:
        assert record(StudyFinished(1.0)).finished


class TestWhatCounts:
    """Of a study of two arms, relu at a learning rate of 0.01 and tanh at 0.1."""

    CHOSEN = (PointChosen(RELU, 0, LOW, 3.0), PointChosen(TANH, 0, HIGH, 3.0))

    def counts(self, start: TrialStarted, *later: Event) -> bool:
        found = record(*self.CHOSEN, start, *later)
        return found.counts(found.trials[start.trial_id])

    def test_every_tune_trial(self) -> None:
        assert self.counts(replace(START, nuisance=HIGH))

    def test_a_replicate_at_the_point_chosen_for_its_cell_and_block_now(self) -> None:
        here = replace(START, phase="replicate")
        assert self.counts(here)
        assert not self.counts(replace(here, nuisance=HIGH))
        assert not self.counts(replace(here, block=1))
        assert not self.counts(here, PointChosen(RELU, 0, HIGH, 9.0))

    def test_a_crossed_trial_at_the_point_chosen_for_another_arm_of_its_block(self) -> None:
        there = replace(START, phase="cross", nuisance=HIGH)
        assert self.counts(there)
        assert not self.counts(replace(there, nuisance=LOW))
        assert not self.counts(replace(there, block=1))

    def test_no_crossed_trial_at_the_point_of_another_stratum(self) -> None:
        deep = PointChosen(TANH | {"model.depth": 6}, 0, LOW, 3.0)
        crossed = replace(START, phase="cross", cell=RELU | {"model.depth": 3}, nuisance=LOW)
        found = record(deep, crossed)
        assert not found.counts(found.trials[START.trial_id])
