"""What a reader must know before trusting the results: when it is said, and of what."""

from dataclasses import replace

import numpy as np
import pytest

from actsweep.compare import TrialCurve
from actsweep.compare.trials.preparation import prepare
from actsweep.compare.warnings import warnings_of
from actsweep.curves import Curve
from simulate import CHANCE, crossing_curve, curve, options, trial


def warnings(*trials: TrialCurve, **changes: object) -> list[str]:
    asked = options(**changes)
    return warnings_of(prepare(trials, asked), asked)


def sound(n: int = 6, **place: object) -> list[TrialCurve]:
    return [
        trial(arm, seed, crossing_curve(2, 6, test_acc=0.8), **place) for arm in ("relu", "tanh") for seed in range(n)
    ]


def diverged(arm: str, seed: int, **place: object) -> TrialCurve:
    return trial(arm, seed, curve([CHANCE, CHANCE], train_loss=[2.3, np.inf], step=[0, 1], seconds=[0, 1]), **place)


def stuck(arm: str, seed: int) -> TrialCurve:
    return trial(arm, seed, crossing_curve(2, 6, top=CHANCE, test_acc=CHANCE))


def test_a_sound_study_warns_of_nothing() -> None:
    assert warnings(*sound(), *sound(phase="tune")) == []


def test_failed_replicates_are_counted_and_named_and_failed_tune_trials_are_not() -> None:
    failed = [trial("relu", seed, crossing_curve(2, 6, status="failed")) for seed in (7, 8)]
    tuned = trial("tanh", 9, crossing_curve(2, 6, status="failed"), phase="tune")
    (warning,) = warnings(*sound(), *failed, tuned)
    assert warning == f"Failed replicates are left out (2): {failed[0].trial_id}, {failed[1].trial_id}."


def test_a_low_target_above_the_derived_high_one_is_told_at_its_stratum() -> None:
    (warning,) = warnings(*sound(), target_lo=0.95)
    assert warning == "The fixed low target at depth 3 lies above the high one (0.950 above 0.890)."
    assert warnings(*sound(), target_hi=0.8, target_lo=0.8) == []


def test_arms_that_were_not_tuned_equally_are_told_with_their_trials() -> None:
    tuned = sound(2, phase="tune")
    (warning,) = warnings(*sound(), *tuned, replace(tuned[0], seed=9, trial_id="one more"))
    assert warning == (
        "The arms at depth 3 were not tuned equally (trials: relu 3, tanh 2): the one with more had a better chance."
    )


@pytest.mark.parametrize(("failures", "told"), [(0, False), (1, True), (4, True), (5, False)])
def test_a_mean_that_hangs_on_fewer_than_five_failures_is_told(failures: int, told: bool) -> None:
    bad = [diverged("tanh", 20), *(stuck("tanh", seed) for seed in range(30, 29 + failures))][:failures]
    found = warnings(*sound(), *bad)
    assert len(found) == told
    if told:
        assert found[0].startswith(f"{failures} of {6 + failures} replicates of tanh at depth 3 diverged or got stuck:")


def test_each_stratum_is_told_by_its_names_and_values_but_for_those_it_has_not() -> None:
    trials = [*sound(strata=("digits", 4)), diverged("tanh", 20, strata=("digits", 4))]
    assert "of tanh at data digits, width 4 diverged" in warnings(*trials, stratum=("data", "width"))[0]
    trials = [*sound(strata=(None, 4)), diverged("tanh", 20, strata=(None, 4))]
    assert "of tanh at width 4 diverged" in warnings(*trials, stratum=("data", "width"))[0]
    trials = [*sound(strata=()), diverged("tanh", 20, strata=())]
    assert "of tanh diverged" in warnings(*trials, stratum=())[0]


def test_without_epoch_0_and_without_test_accuracy_what_is_missing_is_told() -> None:
    whole = crossing_curve(2, 6)
    late = Curve(whole.epoch[1:], whole.val_acc[1:])
    assert warnings(*(trial(arm, seed, late) for arm in ("relu", "tanh") for seed in range(3))) == [
        "No trial was evaluated at epoch 0: nauc and the gradient slope at the start are missing.",
        "Final gaps are taken to validation accuracy, because not every replicate has a test accuracy.",
    ]


def loud(seed: int, status: str | None = None) -> TrialCurve:
    """A trial of relu that learns although its first train loss is that of more than a hundred classes."""
    loss = [6.0, 5.0, 1.0, 0.5, 0.4, 0.3, 0.2]
    return trial("relu", 20 + seed, crossing_curve(2, 6, test_acc=0.8, train_loss=np.array(loss), status=status))


def test_a_divergence_that_only_a_large_loss_says_is_told_with_the_number_of_classes() -> None:
    found = warnings(*sound(), *(loud(seed) for seed in range(7)))
    named = ", ".join(loud(seed).trial_id for seed in range(5))
    assert (
        "Trials count as diverged because their train loss rose above 2 ln(10) = 4.61 after epoch 0, whatever they "
        f"came to (7: {named} and 2 more). With other than 10 classes, say so (--classes)."
    ) in found


def test_a_divergence_that_the_trial_itself_or_a_loss_that_is_no_number_says_is_not() -> None:
    found = warnings(*sound(), loud(0, "diverged"), diverged("relu", 9))
    assert not any("Trials count as diverged" in warning for warning in found)
    assert not any("Trials count as diverged" in warning for warning in warnings(*sound(), loud(0), classes=1000))
