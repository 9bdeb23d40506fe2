"""What a naive tool gets wrong: for each mistake data on which its figure is clearly wrong, and ours is right."""

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats

from actsweep.analysis import TrialCurve
from actsweep.compare.learning_rates import learning_rate_view
from actsweep.compare.trials.preparation import prepare
from actsweep.curves import Curve, measure_curve
from simulate import (
    CHANCE,
    CLASSES,
    RELU,
    analyze,
    crossing_curve,
    curve,
    options,
    pick,
    study,
    trial,
    tune,
    verdict,
)


class TestOneBracketForAllArms:
    """Halving at 3, 9 and 27 epochs among fast and slow trials alike kills the slow ones because they are slow."""

    N, HORIZON, RUNGS, KEPT, TARGET = 81, 60, (3, 9, 27), 3, 0.8
    TAU: ClassVar = {"relu": 6.0, "sigmoid": 12.0}

    def trials(self, rng: np.random.Generator, **place: Any) -> list[TrialCurve]:
        """Curves that approach 0.9 with a time of their own, twice as long for sigmoid."""
        epoch = np.arange(self.HORIZON + 1.0)
        return [
            trial(
                arm,
                seed,
                Curve(epoch, CHANCE + 0.8 * (1 - np.exp(-epoch / (tau * math.exp(rng.normal(0, 0.4)))))),
                **place,
            )
            for arm, tau in self.TAU.items()
            for seed in range(self.N)
        ]

    def halved(self, trials: list[TrialCurve]) -> list[TrialCurve]:
        """What one bracket leaves of the trials: a third of them goes on at each rung, the others stop there."""
        alive, stopped = trials, []
        for rung in self.RUNGS:
            alive.sort(key=lambda t: -float(t.curve.val_acc[rung]))
            alive, out = alive[: len(alive) // self.KEPT], alive[len(alive) // self.KEPT :]
            stopped += [replace(t, curve=self.until(t.curve, rung)) for t in out]
        return [*alive, *stopped]

    @staticmethod
    def until(whole: Curve, rung: int) -> Curve:
        return replace(whole, epoch=whole.epoch[: rung + 1], val_acc=whole.val_acc[: rung + 1], status="stopped")

    def ratio_of_finished(self, trials: list[TrialCurve]) -> float:
        """Sigmoid's mean time to the target over relu's, among the trials that a bracket let run to the end."""
        times: dict[str, list[float]] = {"relu": [], "sigmoid": []}
        for t in trials:
            if t.curve.epoch[-1] == self.HORIZON:
                times[t.arm].append(float(np.argmax(t.curve.val_acc >= self.TARGET)))
        return float(np.mean(times["sigmoid"]) / np.mean(times["relu"])) if times["sigmoid"] else math.inf

    def time_spent_per_hit(self, trials: list[TrialCurve], arm: str) -> float:
        own = [t.curve for t in trials if t.arm == arm]
        hits = sum(bool((c.val_acc >= self.TARGET).any()) for c in own)
        return sum(float(c.epoch[-1]) for c in own) / hits if hits else math.inf

    def test_its_survivors_say_nothing_of_the_arms_and_replicates_do(self) -> None:
        rng = np.random.default_rng(2)
        replicates = self.trials(rng)
        tuned = self.trials(rng, phase="tune", lr=0.1)
        shared = self.halved(list(tuned))
        per_arm = [t for arm in self.TAU for t in self.halved([t for t in tuned if t.arm == arm])]

        def finished(trials: list[TrialCurve], arm: str) -> int:
            return sum(t.curve.epoch[-1] == self.HORIZON for t in trials if t.arm == arm)

        # The shared bracket runs relu almost alone; a bracket for each arm gives both the same number of runs.
        assert finished(shared, "sigmoid") <= 1 < finished(shared, "relu")
        assert finished(per_arm, "sigmoid") == finished(per_arm, "relu") == self.N // 27
        costs = {arm: self.time_spent_per_hit(shared, arm) for arm in self.TAU}
        assert costs["sigmoid"] / costs["relu"] > 3
        # The truth is a ratio of 2, and the replicates, which nothing stops, have it within their interval.
        row = pick(analyze([*replicates, *shared], target_hi=self.TARGET)["comparisons"], endpoint="r_epochs_hi")
        assert row["estimate"] == pytest.approx(2, rel=0.15)
        assert row["low"] < 2 < row["high"]
        assert row == pick(analyze(replicates, target_hi=self.TARGET)["comparisons"], endpoint="r_epochs_hi")


def test_survivors_only() -> None:
    fragile = analyze(study(arms={"relu": RELU, "sigmoid": replace(RELU, fails=0.5)}, n=20))
    row = pick(fragile["cells"], activation="sigmoid")
    assert row["n"] == 20
    assert 0.2 < row["failure_share"] < 0.8
    assert row["reached_hi"] == pytest.approx(1 - row["failure_share"])
    assert row["rmst_epochs_hi"] > 8  # the survivors alone would have about 5
    assert row["test_acc_mean"] < 0.7 < row["test_acc_healthy_mean"]
    assert pick(fragile["comparisons"], endpoint="r_epochs_hi")["bound"] == "at_least"


def test_unequal_budgets() -> None:
    trials = [*study(), *tune(study())[:-4]]
    assert any("not tuned equally (trials: relu 12, sigmoid 8)" in w for w in analyze(trials)["study"]["warnings"])
    assert not any("tuned" in w for w in analyze([*study(), *tune(study())])["study"]["warnings"])


def test_gap_at_different_train_losses() -> None:
    """Both arms have the same gap at the same loss; relu only gets further."""

    def fitting(arm: str, seed: int, rate: float) -> TrialCurve:
        loss = 2.3 * np.exp(-rate * np.arange(21.0))
        gap = 0.1 * (1 - loss / 2.3) + 1e-4 * seed
        val = np.linspace(CHANCE, 0.8, 21)
        return trial(arm, seed, Curve(np.arange(21.0), val, train_loss=loss, train_acc=val + gap, test_acc=0.8))

    trials = [fitting(arm, seed, rate) for arm, rate in (("relu", 0.3), ("tanh", 0.05)) for seed in range(12)]
    results = analyze(trials)
    assert pick(results["comparisons"], endpoint="d_gap_end")["estimate"] > 0.03
    assert pick(results["comparisons"], endpoint="d_gap_match")["estimate"] == pytest.approx(0, abs=0.005)
    assert verdict(results, "C4b") == verdict(results, "C4c") == "supported"


def test_time_under_contention_is_no_cost() -> None:
    slowed = [
        replace(t, curve=replace(t.curve, seconds=None if t.curve.seconds is None else 5 * t.curve.seconds))
        if t.arm == "sigmoid"
        else t
        for t in study()
    ]
    row = pick(analyze(slowed)["comparisons"], endpoint="r_cost")
    assert row == pick(analyze(study())["comparisons"], endpoint="r_cost")
    assert row["estimate"] == pytest.approx(1.02, abs=0.05)


def test_a_mean_that_hangs_on_rare_failures() -> None:
    broken = trial("sigmoid", 99, curve([CHANCE, CHANCE], train_loss=[2.3, np.inf], step=[0, 1], seconds=[0, 1]))
    warnings = analyze([*study(), broken])["study"]["warnings"]
    assert any("1 of 13 replicates of sigmoid at depth 3 diverged or got stuck" in warning for warning in warnings)


def test_best_of_many_as_an_estimate() -> None:
    """The best of more tune trials is better by luck alone."""

    def runs(arm: str, n: int, phase: str) -> list[TrialCurve]:
        accuracies = 0.8 + 0.02 * stats.norm.ppf((np.arange(n) + 0.5) / n)
        return [
            trial(arm, i, curve([CHANCE, x, x], test_acc=float(x)), phase=phase, lr=0.01 if phase != "tune" else 0.1**i)
            for i, x in enumerate(accuracies)
        ]

    tuned = [*runs("relu", 100, "tune"), *runs("tanh", 10, "tune")]
    replicates = [*runs("relu", 20, "replicate"), *runs("tanh", 20, "replicate")]
    best = {arm: max(float(t.curve.val_acc.max()) for t in tuned if t.arm == arm) for arm in ("relu", "tanh")}
    assert best["relu"] - best["tanh"] > 0.01
    assert min(best.values()) > 0.82
    results = analyze([*replicates, *tuned])
    row = pick(results["comparisons"], endpoint="d_test_acc")
    assert row["low"] < 0 < row["high"]
    assert row["estimate"] == pytest.approx(0)
    assert verdict(results, "C5") != "supported"
    # At the same budget of ten the expected best of either arm is the same.
    curves = {cell["activation"]: cell["best_of_k"] for cell in results["cells"]}
    assert curves["relu"][9] == pytest.approx(curves["tanh"][9], abs=0.003)


def test_dropping_nan_trials_from_averages() -> None:
    """Half of tanh's runs end in NaN; the mean of what is left would call the arms equal."""

    def run(arm: str, seed: int) -> TrialCurve:
        if arm == "tanh" and seed % 2:
            broken = curve([CHANCE, math.nan], train_loss=[2.3, math.inf], seconds=[0, 1])
            return trial(arm, seed, broken)
        return trial(
            arm, seed, curve([CHANCE, 0.8, 0.9, 0.9], test_acc=0.9 + 0.001 * (seed // 2), seconds=[0, 1, 2, 3])
        )

    trials = [run(arm, seed) for arm in ("relu", "tanh") for seed in range(20)]
    finals = {arm: [float(t.curve.val_acc[-1]) for t in trials if t.arm == arm] for arm in ("relu", "tanh")}
    assert np.nanmean(finals["tanh"]) == pytest.approx(np.nanmean(finals["relu"]))
    results = analyze(trials, target_hi=0.7, target_lo=0.7)
    tanh = pick(results["cells"], activation="tanh")
    assert (tanh["n"], tanh["failure_share"], tanh["reached_hi"]) == (20, 0.5, 0.5)
    assert tanh["test_acc_mean"] == pytest.approx((0.9045 + CHANCE) / 2)
    assert tanh["rmst_epochs_hi"] == (1 + 3) / 2
    assert pick(results["comparisons"], endpoint="d_test_acc")["low"] > 0.1


def test_one_shared_learning_rate() -> None:
    """At relu's rate tanh looks worse, at tanh's relu does; each at its own, they are equal."""
    best = {"relu": 0.1, "tanh": 0.001}

    def run(arm: str, seed: int, lr: float, **place: Any) -> TrialCurve:
        accuracy = 0.9 - 0.1 * abs(math.log10(lr / best[arm])) + 0.001 * (seed % 3)
        return trial(arm, seed, curve([CHANCE, accuracy, accuracy], test_acc=accuracy), lr=lr, **place)

    replicates = [run(arm, seed, best[arm]) for arm in best for seed in range(12)]
    swapped = {"relu": best["tanh"], "tanh": best["relu"]}
    cross = [run(arm, seed, swapped[arm], phase="cross") for arm in best for seed in range(12)]
    tuned = [run(arm, seed, lr, phase="tune") for arm in best for seed, lr in enumerate((0.1, 0.01, 0.001))]
    results = analyze([*replicates, *cross, *tuned])
    found = {row["phase"]: row["estimate"] for row in results["comparisons"] if row["endpoint"] == "d_test_acc"}
    assert found == {
        "replicate": pytest.approx(0, abs=0.002),
        "at_a_lr": pytest.approx(0.2, abs=0.002),
        "at_b_lr": pytest.approx(-0.2, abs=0.002),
    }
    assert verdict({"verdicts": [v for v in results["verdicts"] if v["phase"] == "replicate"]}, "C5") == "refuted"
    table = prepare(tuned, options()).table
    view = learning_rate_view(table.cell("relu", 0, "tune"), table.cell("tanh", 0, "tune"))
    assert view["a_at_lr_a"] - view["b_at_lr_a"] > 0.15 < view["b_at_lr_b"] - view["a_at_lr_b"]


def test_running_train_accuracy_as_train() -> None:
    """Both arms end 3 points better on the train probe than on test; only sigmoid was still learning in its last epoch.

    The accuracy that training itself shows is the mean over the epoch, so that it lags behind where learning goes on.
    """

    def run(arm: str, seed: int, tau: float, *, running: bool) -> TrialCurve:
        step = np.linspace(0, 4, 401)
        accuracy = CHANCE + 0.8 * (1 - np.exp(-step / tau)) + 0.001 * (seed % 3)
        ends = accuracy[::100]
        means = np.append(ends[0], accuracy[1:].reshape(4, 100).mean(axis=1)) if running else ends
        return trial(arm, seed, Curve(np.arange(5.0), ends, train_acc=means + 0.03, test_acc=float(ends[-1])))

    def gap(*, running: bool) -> Any:
        trials = [
            run(arm, seed, tau, running=running) for arm, tau in (("relu", 0.4), ("sigmoid", 4.0)) for seed in range(12)
        ]
        results = analyze(trials)
        return pick(results["comparisons"], endpoint="d_gap_end")["estimate"], verdict(results, "C4b")

    assert gap(running=True) == (pytest.approx(0.04, abs=0.002), "supported")
    assert gap(running=False) == (pytest.approx(0, abs=1e-9), "refuted")


def test_a_single_noisy_crossing_as_reached() -> None:
    """Neither arm's true accuracy comes near 0.6, but noise lifts single evaluations above it."""
    rng = np.random.default_rng(5)
    accuracy = {"relu": 0.55, "tanh": 0.5}
    trials = [
        trial(arm, seed, curve([CHANCE, *np.clip(top + rng.normal(0, 0.03, 30), 0, 1)]))
        for arm, top in accuracy.items()
        for seed in range(20)
    ]
    naive = {arm: np.mean([(t.curve.val_acc >= 0.6).any() for t in trials if t.arm == arm]) for arm in accuracy}
    assert naive["relu"] > 0.6
    cells = {cell["activation"]: cell for cell in analyze(trials, target_hi=0.6, target_lo=0.3)["cells"]}
    assert cells["relu"]["reached_hi"] < 0.25
    assert cells["tanh"]["reached_hi"] == 0
    assert cells["relu"]["reached_lo"] == cells["tanh"]["reached_lo"] == 1


def test_kaplan_meier_under_informative_censoring() -> None:
    """Runs that diverge leave early because they are bad; Kaplan and Meier take them for runs like the others."""
    healthy = [trial("tanh", seed, crossing_curve(6, 20)) for seed in range(10)]
    broken = curve([CHANCE, CHANCE], train_loss=[2.3, math.inf])
    trials = [trial("relu", seed, crossing_curve(6, 20)) for seed in range(20)]
    trials += [*healthy, *(trial("tanh", seed, broken) for seed in range(10, 20))]
    left_at, reached = np.array([6.0] * 10 + [1.0] * 10), np.array([True] * 10 + [False] * 10)
    survival = stats.ecdf(stats.CensoredData.right_censored(left_at, ~reached)).sf
    assert np.trapezoid(survival.evaluate(np.arange(20.0)), dx=1.0) < 7  # as if nothing had happened
    results = analyze(trials, target_hi=0.8, target_lo=0.8)
    assert pick(results["cells"], activation="tanh")["rmst_epochs_hi"] == (6 + 20) / 2
    row = pick(results["comparisons"], endpoint="r_epochs_hi")
    assert (row["bound"], row["estimate"]) == ("at_least", pytest.approx(13 / 6))


def test_the_last_value_of_a_metric_taken_as_its_best() -> None:
    late = measure_curve(curve([CHANCE, 0.9, 0.7], test_acc=0.68, best_test_acc=0.88), 2, CLASSES)
    assert (late["best_val_acc"], late["best_epoch"], late["final_val_acc"]) == (0.9, 1, 0.7)
    assert late["drop"] == pytest.approx(0.2)
