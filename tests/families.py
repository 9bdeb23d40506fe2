"""Families of simulated studies with the truth of every endpoint: what intervals and verdicts are checked against.

A family's truth is that of a large population drawn from it, worked out here from the arrays that were drawn and not by
the code under test. A time ratio's truth is a function of the target, because every study has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from actsweep.analysis import TrialCurve
from actsweep.curves import Curve
from simulate import CHANCE, trial

HORIZON = 30
EPOCH = np.arange(HORIZON + 1.0)
STEPS = 100  # of an epoch
START_LOSS = 2.3
FLOOR_LOSS = 0.1
POPULATION = 20_000  # trials per arm
LOSSES = 24  # train losses at which a population's gap is worked out, linear between
Array = np.ndarray[Any, np.dtype[np.float64]]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Arm:
    """What is true of one arm's trials: centres, spreads (`_sd`; of the logarithm for `tau`), and what happens to them.

    `tau` is the number of epochs in which the distance to the final accuracy `top` shrinks by e, `noise` the standard
    deviation of one evaluation, `second` the seconds of an epoch, `diverges` the share of the trials that diverge.
    """

    tau: float = 2.5
    tau_sd: float = 0.15
    top: float = 0.9
    top_sd: float = 0.004
    noise: float = 0.003
    second: float = 1.0
    step_ms: float = 10.0
    gap: float = 0.03
    drop: float = 0.002
    slope: float = -0.02
    saturated: float = 0.1
    diverges: float = 0.0


@dataclass(frozen=True)
class Family:
    """Studies of one design: the arms of each stratum, the reference first.

    A study has `units` units per arm; a unit is one trial or, with `runs` above 1, a block of so many, and `between` is
    then the share of a spread's variance that lies between blocks.
    """

    strata: tuple[Mapping[str, Arm], ...]
    units: int = 10
    runs: int = 1
    between: float = 0.0


@dataclass(frozen=True, eq=False)
class Runs:
    """n trials of one arm as arrays of shape (n, epochs) or (n,); `bad` is the index of the first bad evaluation."""

    val_acc: Array
    train_acc: Array
    train_loss: Array
    test_acc: Array
    drop: Array
    second: Array
    step_ms: Array
    slope: Array
    saturated: Array
    bad: np.ndarray[Any, np.dtype[np.intp]]

    @property
    def diverged(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return self.bad <= HORIZON

    def healthy(self) -> Runs:
        """The trials that did not diverge."""
        return Runs(**{field.name: getattr(self, field.name)[~self.diverged] for field in fields(self)})

    def curve(self, i: int) -> Curve:
        """Trial i as an analysis is given it: a diverged one ends at its first bad evaluation."""
        until = slice(int(self.bad[i]) + 1)
        epoch, loss = EPOCH[until], self.train_loss[i, until]
        lost = bool(self.diverged[i])
        return Curve(
            epoch,
            self.val_acc[i, until],
            step=STEPS * epoch,
            seconds=self.second[i] * epoch,
            train_loss=np.append(loss[:-1], np.inf) if lost else loss,
            train_acc=self.train_acc[i, until],
            grad_slope=np.full(len(epoch), self.slope[i]),
            saturated=np.full(len(epoch), self.saturated[i]),
            test_acc=None if lost else float(self.test_acc[i]),
            best_test_acc=None if lost else float(self.test_acc[i] + self.drop[i]),
            step_ms=float(self.step_ms[i]),
            status="diverged" if lost else "completed",
        )


def draw_runs(arm: Arm, family: Family, units: int, rng: np.random.Generator) -> Runs:
    """The trials of so many units of an arm."""
    n = units * family.runs

    def spread(sd: float) -> Array:
        shared = np.sqrt(family.between) * rng.standard_normal(units).repeat(family.runs)
        return sd * (shared + np.sqrt(1.0 - family.between) * rng.standard_normal(n))

    def noise(sd: float) -> Array:
        return sd * rng.standard_normal((n, len(EPOCH)))

    left = np.exp(-EPOCH / (arm.tau * np.exp(spread(arm.tau_sd)))[:, None])
    top, floor = arm.top + spread(arm.top_sd), FLOOR_LOSS * np.exp(spread(0.15))[:, None]
    accuracy = CHANCE + (top - CHANCE)[:, None] * (1.0 - left)
    loss = floor + (START_LOSS - floor) * left
    return Runs(
        val_acc=np.clip(accuracy + noise(arm.noise), 0.0, 1.0),
        train_acc=np.clip(accuracy + arm.gap * (1.0 - loss / START_LOSS) + noise(0.003), 0.0, 1.0),
        train_loss=loss,
        test_acc=accuracy[:, -1] + spread(0.004),
        drop=arm.drop + spread(0.003),
        second=arm.second * np.exp(spread(0.05)),
        step_ms=arm.step_ms * np.exp(spread(0.05)),
        slope=arm.slope + spread(0.02),
        saturated=arm.saturated + spread(0.03),
        bad=np.where(rng.random(n) < arm.diverges, rng.integers(2, HORIZON, n), HORIZON + 1),
    )


Population = dict[tuple[int, str], Runs]


def draw(family: Family, units: int, rng: np.random.Generator) -> Population:
    """So many units of every arm, by the index of the stratum and the arm's name."""
    return {
        (stratum, name): draw_runs(arm, family, units, rng)
        for stratum, arms in enumerate(family.strata)
        for name, arm in arms.items()
    }


def as_trials(family: Family, drawn: Population) -> list[TrialCurve]:
    """What was drawn as the replicates of one study; the index of a stratum is its depth."""
    return [
        trial(name, i, runs.curve(i), strata=(stratum,), block=i // family.runs if family.runs > 1 else None)
        for (stratum, name), runs in drawn.items()
        for i in range(len(runs.bad))
    ]


def draw_study(family: Family, rng: np.random.Generator) -> list[TrialCurve]:
    """The replicates of one study of a family."""
    return as_trials(family, draw(family, family.units, rng))


@dataclass(frozen=True, eq=False)
class Means:
    """The means of one arm's population, as functions of the target where they depend on it."""

    runs: Runs

    @cached_property
    def fixed(self) -> dict[str, float]:
        """Means that need no target, by endpoint."""
        runs, lost = self.runs, self.runs.diverged
        counted = np.where(np.arange(len(EPOCH)) >= runs.bad[:, None], CHANCE, runs.val_acc)
        return {
            "r_cost": float(runs.step_ms.mean()),
            "d_test_acc": float(self.test_acc.mean()),
            "d_gap_end": float((runs.train_acc[:, -1] - runs.test_acc)[~lost].mean()),
            "d_grad_slope": float(runs.slope.mean()),
            "d_nauc": float(np.trapezoid(counted, EPOCH, axis=1).mean() / HORIZON),
        }

    @cached_property
    def test_acc(self) -> Array:
        return np.where(self.runs.diverged, CHANCE, self.runs.test_acc)

    @cached_property
    def _still_below(self) -> tuple[Array, Array]:
        """Per epoch, the trials' highest confirmed accuracy so far in order, and the seconds summed in that order."""
        pairs = np.minimum(self.runs.val_acc[:, :-1], self.runs.val_acc[:, 1:])
        highest = np.where(self.runs.diverged[:, None], -np.inf, np.maximum.accumulate(pairs, axis=1))
        order = highest.argsort(axis=0)
        summed = np.cumsum(self.runs.second[order], axis=0)
        return np.take_along_axis(highest, order, axis=0), np.vstack([np.zeros(HORIZON), summed])

    def time(self, unit: str, target: float) -> float:
        """Restricted mean time to `target`: the time in which trials have not yet confirmed it, summed over epochs."""
        highest, seconds = self._still_below
        below = [int(np.searchsorted(column, target)) for column in highest.T]
        if unit == "seconds":
            return float(seconds[below, np.arange(HORIZON)].sum()) / len(highest)
        return sum(below) / len(highest) * (STEPS if unit == "steps" else 1)

    def gap(self, loss: float) -> float:
        """Mean gap to validation where the train loss crosses `loss`, over the trials that get there."""
        runs = self.runs
        gaps = runs.train_acc - runs.val_acc
        there = np.flatnonzero(~runs.diverged & (runs.train_loss[:, -1] <= loss))
        after = (runs.train_loss[there] > loss).sum(axis=1)
        before = after - 1
        share = (runs.train_loss[there, before] - loss) / (
            runs.train_loss[there, before] - runs.train_loss[there, after]
        )
        return float(((1 - share) * gaps[there, before] + share * gaps[there, after]).mean())

    @cached_property
    def _gaps(self) -> tuple[Array, Array]:
        ends = self.runs.train_loss[~self.runs.diverged, -1]
        losses = np.linspace(np.quantile(ends, 0.05), 2.0 * ends.max(), LOSSES)
        return losses, np.array([self.gap(loss) for loss in losses])

    def gap_between(self, loss: float) -> float:
        """`gap`, linear between losses that were worked out once."""
        return float(np.interp(loss, *self._gaps))


class Truth:
    """The true value of every endpoint of a family, from a population of it."""

    def __init__(self, population: Population) -> None:
        self.means = {place: Means(runs) for place, runs in population.items()}
        self._better: dict[tuple[int, str, str], float] = {}

    def of(self, row: Row, target: Row) -> float:
        """The truth that a row of `comparisons` estimates, at the study's own `target`."""
        endpoint, depth = row["endpoint"], row["depth"]
        a, b = self.means[depth, row["a"]], self.means[depth, row["b"]]
        if endpoint == "p_a_better":
            return self._p_a_better(depth, row["a"], row["b"])
        if endpoint == "d_gap_match":
            return a.gap_between(target["loss_match"]) - b.gap_between(target["loss_match"])
        if endpoint in a.fixed:
            one, other = a.fixed[endpoint], b.fixed[endpoint]
            return other / one if endpoint == "r_cost" else other - one if endpoint == "d_grad_slope" else one - other
        _, unit, which = endpoint.split("_")
        return b.time(unit, target[which]) / a.time(unit, target[which])

    def _p_a_better(self, depth: int, a: str, b: str) -> float:
        key = depth, a, b
        if key not in self._better:
            one, other = self.means[depth, a].test_acc, self.means[depth, b].test_acc
            self._better[key] = float(stats.mannwhitneyu(one, other).statistic / (len(one) * len(other)))
        return self._better[key]


def population_of(family: Family, rng: np.random.Generator) -> Population:
    """A population of a family, large enough to be its truth."""
    return draw(family, POPULATION // family.runs, rng)


def covered(results: Row, truth: Truth, *, healthy: bool = False) -> dict[str, list[bool]]:
    """Whether each interval of a study's results holds the truth, by endpoint; what has no interval is left out.

    With `healthy` the intervals are those over healthy trials, and `truth` has to be that of such trials.
    """
    targets = {target["depth"]: target for target in results["targets"]}
    found: dict[str, list[bool]] = {}
    for row in results["comparisons"]:
        hits, interval = found.setdefault(row["endpoint"], []), row["healthy"] if healthy else row
        if interval["low"] is not None:
            hits.append(interval["low"] <= truth.of(row, targets[row["depth"]]) <= interval["high"])
    return found


RELU = Arm()
SLOWER = replace(RELU, tau=5.0)
AT_THRESHOLDS = {
    "relu": replace(RELU, gap=0.0525, drop=0.01),
    "sigmoid": replace(RELU, top=0.89, gap=0.0315, step_ms=20.0, slope=-0.17, saturated=0.25),
}


def _pair(sigmoid: Arm, relu: Arm = RELU, **design: Any) -> Family:
    return Family(({"relu": relu, "sigmoid": sigmoid},), **design)


FAMILIES = {
    "slower only": _pair(SLOWER),
    "gap only": _pair(RELU, replace(RELU, gap=0.08)),
    "null": _pair(RELU),
    "heavy censoring": _pair(replace(RELU, tau=6.67)),
    "diverging 20 %": _pair(replace(SLOWER, diverges=0.2), units=30),
    "noisy crossings": _pair(replace(SLOWER, noise=0.02), replace(RELU, noise=0.02)),
    "blocks": _pair(SLOWER, runs=3, between=0.6),
    "unequal spread": _pair(replace(RELU, tau=4.0, tau_sd=0.4, top=0.85, top_sd=0.03)),
    "three arms": Family(({"relu": RELU, "sigmoid": SLOWER, "tanh": replace(RELU, top=0.88, step_ms=12.0)},)),
    "several depths": Family(
        (
            {"relu": RELU, "sigmoid": replace(RELU, tau=3.5)},
            {"relu": replace(RELU, top=0.92), "sigmoid": replace(SLOWER, top=0.88, slope=-0.4)},
        )
    ),
    "equivalent": _pair(replace(RELU, top=0.898)),
}
RARE_FAILURES = _pair(replace(SLOWER, diverges=0.05))
NULL_OF_MANY = Family(({"relu": RELU, "sigmoid": RELU, "tanh": RELU},) * 2)
THRESHOLDS = Family((AT_THRESHOLDS,))
