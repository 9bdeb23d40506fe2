"""Decisions that censored, stuck and diverged runs turn wrong in a naive analysis, with the arms both ways round."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from actsweep.curves import Curve
from simulate import CHANCE, analyze, crossing_curve, pick, trial, verdict

HORIZON, N = 20, 12
NEVER = HORIZON + 1
Results = dict[str, Any]
Runs = Sequence[Curve]


def low(accuracy: float) -> Curve:
    """A run that stays at an accuracy below both targets."""
    epochs = np.arange(HORIZON + 1.0)
    return Curve(epochs, np.where(epochs > 0, accuracy, CHANCE), step=100 * epochs, seconds=epochs)


def around(epoch: int, n: int = N) -> list[Curve]:
    """Runs that get to 0.9 within an epoch of `epoch`; those that never do stay at 0.5."""
    if epoch == NEVER:
        return [low(0.5)] * n
    return [crossing_curve(epoch + i % 3 - 1, HORIZON) for i in range(n)]


def stuck(n: int = N) -> list[Curve]:
    return [low(CHANCE)] * n


def diverged(n: int = N, *, tail: bool) -> list[Curve]:
    """Runs that were above the target for long, and then diverged; with or without rows after that."""
    epochs = np.arange(HORIZON + 1.0 if tail else 10.0)
    loss = np.where(epochs < 9, 1.0, np.inf)
    accuracy = np.where(epochs < 2, CHANCE, np.where(epochs < 9, 0.9, CHANCE if tail else np.nan))
    return [Curve(epochs, accuracy, step=100 * epochs, seconds=epochs, train_loss=loss, val_loss=loss)] * n


def compared(relu: Runs, sigmoid: Runs, **options: Any) -> Results:
    trials = [trial(arm, i, c) for arm, runs in (("relu", relu), ("sigmoid", sigmoid)) for i, c in enumerate(runs)]
    fixed = {"target_hi": 0.8, "target_lo": 0.6, "level": 0.95}
    return analyze(trials, **fixed | options)


class TestShortHorizon:
    def test_twice_cannot_show_and_is_neither_denied_nor_claimed(self) -> None:
        results = compared(around(12), around(NEVER))
        row, ratio = (
            pick(results["verdicts"], claim="C1a"),
            pick(results["comparisons"], endpoint="r_seconds_hi"),
        )
        assert (row["verdict"], row["bound"]) == ("undecided", "at_least")
        assert row["high"] < 2
        assert row["largest"] == ratio["largest"] == pytest.approx(HORIZON / 12)
        assert "can show no ratio above 1.67" in row["why"]

    def test_the_other_way_round_it_is_denied(self) -> None:
        """Where sigmoid was timed and relu was not, the ratio is at most what it is."""
        results = compared(around(NEVER), around(12))
        assert pick(results["comparisons"], endpoint="r_seconds_hi")["bound"] == "at_most"
        assert (verdict(results, "C1a"), verdict(results, "C3b")) == ("refuted", "refuted")

    def test_what_even_it_can_show_is_supported(self) -> None:
        results = compared(around(4), around(NEVER))
        assert (verdict(results, "C1a"), verdict(results, "C3b")) == ("supported", "supported")
        assert "at least 5 times" in pick(results["verdicts"], claim="C1a")["why"]

    def test_where_neither_arm_got_there_nothing_is_said(self) -> None:
        results = compared(around(NEVER), around(NEVER))
        assert verdict(results, "C1a") == verdict(results, "C3a") == verdict(results, "C3b") == "not assessable"


class TestHalfOfBothCensored:
    def test_a_large_ratio_supports_nothing_and_a_small_one_refutes_nothing(self) -> None:
        early, late = (
            [*around(2, 20), *around(NEVER, 20)],
            [*around(18, 20), *around(NEVER, 20)],
        )
        slower, faster = compared(early, late), compared(late, early)
        for results in (slower, faster):
            assert pick(results["comparisons"], endpoint="r_seconds_hi")["bound"] == "between"
        assert pick(slower["verdicts"], claim="C3b")["low"] > 1
        assert pick(faster["verdicts"], claim="C3b")["high"] < 1
        assert verdict(slower, "C3b") == verdict(faster, "C3b") == "undecided"


@pytest.mark.parametrize("failing", [stuck(20), diverged(20, tail=True), diverged(20, tail=False)], ids=len)
class TestFailingRunsInOneArm:
    """Half of one arm's runs get stuck or diverge; those that do not are just as fast as the other arm's."""

    def test_they_count_against_their_arm(self, failing: Runs) -> None:
        results = compared(around(4, 40), [*around(4, 20), *failing])
        cell = pick(results["cells"], activation="sigmoid")
        assert (cell["n"], cell["healthy"], cell["failure_share"], cell["reached_hi"]) == (40, 20, 0.5, 0.5)
        assert cell["rmst_seconds_hi"] == pytest.approx((4 + HORIZON) / 2, rel=0.02)
        assert cell["ert_seconds_hi"] == pytest.approx(4 + HORIZON, rel=0.02)
        row = pick(results["comparisons"], endpoint="r_seconds_hi")
        assert (row["bound"], row["estimate"]) == ("at_least", pytest.approx(3, rel=0.02))
        assert row["healthy"]["estimate"] == pytest.approx(1, rel=0.02)
        assert (verdict(results, "C1a"), verdict(results, "C3b")) == ("supported", "supported")

    def test_the_other_way_round_they_refute(self, failing: Runs) -> None:
        results = compared([*around(4, 20), *failing], around(4, 40))
        row = pick(results["comparisons"], endpoint="r_seconds_hi")
        assert (row["bound"], row["estimate"]) == ("at_most", pytest.approx(1 / 3, rel=0.02))
        assert (verdict(results, "C1a"), verdict(results, "C3b")) == ("refuted", "refuted")


def test_a_missing_tail_of_a_diverged_run_changes_nothing() -> None:
    def of(tail: bool) -> Results:
        return compared(around(4, 20), [*around(4, 10), *diverged(10, tail=tail)])

    with_tail, without = of(True), of(False)
    for part in ("targets", "cells", "comparisons", "verdicts"):
        assert with_tail[part] == without[part]


class TestEveryRunOfAnArm:
    @pytest.mark.parametrize("lost", [diverged(tail=False), stuck()], ids=["diverged", "stuck"])
    @pytest.mark.parametrize("swapped", [False, True])
    def test_failing_leaves_times_and_accuracy_comparable(self, lost: Runs, swapped: bool) -> None:
        fine = [crossing_curve(4 + i % 3, HORIZON, test_acc=0.9 - 0.001 * i) for i in range(N)]
        lost = [
            Curve(c.epoch, c.val_acc, c.step, c.seconds, c.train_loss, test_acc=CHANCE, status=c.status) for c in lost
        ]
        arms = (lost, fine) if swapped else (fine, lost)
        results = compared(*arms)
        assert verdict(results, "C3b") == ("refuted" if swapped else "supported")
        assert pick(results["comparisons"], endpoint="r_epochs_hi")["bound"] == ("at_most" if swapped else "at_least")
        difference = pick(results["comparisons"], endpoint="d_test_acc")
        assert difference["estimate"] == pytest.approx((0.8945 - CHANCE) * (-1 if swapped else 1))
        assert verdict(results, "C5") == ("refuted" if swapped else "supported")
        assert difference["healthy"]["estimate"] is None

    def test_of_both_arms_leaves_nothing_to_compare(self) -> None:
        results = compared(diverged(tail=False), stuck(), target_hi=None, target_lo=None)
        assert (results["targets"][0]["hi"], results["targets"][0]["loss_match"]) == (None, None)
        assert {row["verdict"] for row in results["verdicts"]} == {"not assessable"}
        assert all(math.isfinite(cell["failure_share"]) for cell in results["cells"])
