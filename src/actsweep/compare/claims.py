"""The claims that a comparison decides, and the conditions each of them puts on its intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from actsweep.compare.cells import reached_share
from actsweep.compare.comparisons import MARGIN, TIME_RATIOS, Comparison, steps_unit
from actsweep.compare.estimates import Interval, mean_of
from actsweep.compare.table import Cell
from actsweep.compare.wording import number, percent

ENOUGH_REACHED = 0.9  # share of an arm from which its censoring no longer bars a verdict
MOST = 0.5  # "over half", "because"
CLEARLY_BETTER = 0.75  # probability that A beats B


@dataclass(frozen=True, eq=False)
class Pair:
    """Reference `a` and other arm `b` in one stratum and phase, with their comparisons at `level` of one interval."""

    a: Cell
    b: Cell
    comparisons: Mapping[str, Comparison]
    level: float
    horizon: float
    unit_name: str

    @property
    def arms(self) -> tuple[str, str]:
        """Names of the reference and of the other arm."""
        return self.a.arm, self.b.arm


@dataclass(frozen=True)
class Condition:
    """An interval held against a threshold: on its upper side for the claim (`below`: lower), on the other against.

    `name` is a key of the wordings, `units` the units that have the endpoint in each cell concerned. `bars_support` and
    `bars_refutal` say why censoring bars that verdict, empty where it does not. With `two_sided` the condition counts
    against the claim outside +-threshold, and for it where `equivalent`.
    """

    name: str
    interval: Interval
    threshold: float
    units: tuple[int, ...]
    lacks: str
    below: bool = False
    two_sided: bool = False
    equivalent: bool | None = None
    bars_support: str = ""
    bars_refutal: str = ""
    bound: str | None = None
    largest: float = float("nan")

    @property
    def holds(self) -> bool:
        """Whether the interval lies wholly on the claim's side."""
        if self.two_sided:
            return bool(self.equivalent)
        return self.interval.high < self.threshold if self.below else self.interval.low > self.threshold

    @property
    def fails(self) -> bool:
        """Whether the interval lies wholly on the other side."""
        if self.two_sided:
            return self.interval.low > self.threshold or self.interval.high < -self.threshold
        return self.interval.low > self.threshold if self.below else self.interval.high < self.threshold

    @property
    def nearness(self) -> float:
        """Distance of the estimate from the threshold in half widths; smallest where it is hardest to decide."""
        distance = abs(self.interval.estimate - self.threshold)
        half = self.interval.half_width
        return distance / half if half > 0 else (float("inf") if distance else 0.0)


@dataclass(frozen=True)
class Case:
    """What a claim asks of one pair: every condition, and `besides` ("" = met), a further demand in words."""

    conditions: tuple[Condition, ...]
    besides: str = ""
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A numbered claim: its statement about {a} and {b}, and what it asks of a pair."""

    name: str
    statement: str
    case: Callable[[Pair], Case]
    needs: str | None = None


def _of_endpoint(pair: Pair, endpoint: str, threshold: float, lacks: str, *, below: bool = False) -> Condition:
    comparison = pair.comparisons[endpoint]
    return Condition(
        endpoint, comparison.interval, threshold, comparison.units, lacks, below=below, bound=comparison.bound
    )


def _of_time(pair: Pair, endpoint: str, threshold: float) -> Condition:
    """A time ratio's condition, barred where censoring makes the ratio too large or too small."""
    unit, target = TIME_RATIOS[endpoint]
    comparison = pair.comparisons[endpoint]
    reached = reached_share(pair.a, target), reached_share(pair.b, target)
    aim = "high target" if target == "hi" else "low target"
    if all(math.isnan(share) for share in reached):
        lacks = f"no {aim} could be derived"
    elif not any(share > 0 for share in reached):
        lacks = f"neither arm reached the {aim}"
    else:
        lacks = f"no {unit} recorded"
    bars_support = bars_refutal = ""
    if comparison.bound in ("at_most", "between") and reached[0] < ENOUGH_REACHED:
        bars_support = _barred(pair, pair.a.arm, reached[0], "smaller", "")
    if comparison.bound in ("at_least", "between") and reached[1] < ENOUGH_REACHED:
        limit = f"; no ratio above {number(comparison.largest, 'ratio')} can show at this horizon"
        bars_refutal = _barred(pair, pair.b.arm, reached[1], "larger", limit)
    return Condition(
        endpoint,
        comparison.interval,
        threshold,
        comparison.units,
        lacks,
        bars_support=bars_support,
        bars_refutal=bars_refutal,
        bound=comparison.bound,
        largest=comparison.largest,
    )


def _barred(pair: Pair, arm: str, share: float, way: str, limit: str) -> str:
    return (
        f"but only {percent(share)} of the runs of {arm} got there in {pair.horizon:g} epochs, so the true ratio may "
        f"be {way}{limit}; longer runs are needed"
    )


def _of_one_arm(pair: Pair, cell: Cell, name: str, threshold: float, lacks: str) -> Condition:
    units = cell.units(name)
    return Condition(name, mean_of(units, pair.level), threshold, (len(units),), lacks)


def _time(pair: Pair) -> Case:
    return Case((_of_time(pair, "r_seconds_hi", 2.0),))


def _cost(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "r_cost", 2.0, "no step_ms recorded"),))


def _vanishing(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "d_grad_slope", -0.15, "no grad_slope recorded at epoch 0", below=True),))


def _saturation(pair: Pair) -> Case:
    lacks = f"no saturated share recorded for {pair.b.arm} (it exists only for an activation bounded on both sides)"
    return Case((_of_one_arm(pair, pair.b, "saturated", 0.25, lacks),))


def _note(pair: Pair) -> str:
    return "" if steps_unit(pair.a, pair.b) == "steps" else "epochs stand for steps, which were not recorded"


def _quicker(pair: Pair) -> Case:
    unit = steps_unit(pair.a, pair.b)
    return Case(tuple(_of_time(pair, f"r_{unit}_{target}", 1.5) for target in ("hi", "lo")), note=_note(pair))


def _less_time(pair: Pair) -> Case:
    share = pair.comparisons["r_seconds_hi"].parts.get("steps_share", float("nan"))
    mostly = isinstance(share, float) and share > MOST
    besides = "" if mostly else "but more steps account for no more than half of it"
    return Case((_of_time(pair, "r_seconds_hi", 1.0),), besides, _note(pair))


def _overfits(pair: Pair) -> Case:
    return Case(
        (
            _of_one_arm(pair, pair.a, "drop", 0.01, "no best_test_acc and test_acc recorded"),
            _of_one_arm(pair, pair.a, "gap_end", 0.05, "no train_acc recorded"),
        )
    )


def _larger_gap(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "d_gap_end", 0.02, "no train_acc recorded"),))


def _progress(pair: Pair) -> Case:
    comparison = pair.comparisons["d_gap_match"]
    share = comparison.parts.get("progress_share", float("nan"))
    mostly = isinstance(share, float) and share > MOST
    condition = Condition(
        "d_gap_match",
        comparison.interval,
        MARGIN,
        comparison.units,
        "no gap at the matched train loss (train_loss and train_acc are needed)",
        two_sided=True,
        equivalent=comparison.equivalent,
    )
    return Case(
        (condition,), "" if mostly else "but being further along explains no more than half of the gap difference"
    )


def _accuracy(pair: Pair) -> Case:
    comparison = pair.comparisons["d_test_acc"]
    condition = _of_endpoint(pair, "d_test_acc", 0.01, "no test_acc recorded")
    healthy = Condition("d_test_acc healthy", comparison.healthy, 0.01, comparison.units, condition.lacks)
    if not condition.holds and healthy.holds and pair.b.failure_share >= pair.a.failure_share:
        condition = healthy
    better = pair.comparisons["p_a_better"].interval.estimate
    chance = f"but a random run of {pair.a.arm} beats one of {pair.b.arm} with probability {better:.2f} only"
    return Case((condition,), "" if better >= CLEARLY_BETTER else chance)


CLAIMS = (
    Claim("C1a", "{b} takes over 2x the training seconds of {a} to the same accuracy", _time),
    Claim("C1b", "... because one step of {b} costs over 2x that of {a}", _cost),
    Claim("C2a", "gradients of {b} vanish with depth more than those of {a}", _vanishing),
    Claim("C2b", "units of {b} saturate during training", _saturation),
    Claim("C3a", "{a} converges much quicker than {b}", _quicker),
    Claim("C3b", "... so {a} needs less time than {b}", _less_time),
    Claim("C4a", "{a} overfits", _overfits),
    Claim("C4b", "the gap of {a} is larger than that of {b}", _larger_gap),
    Claim("C4c", "... because {a} is further along than {b}", _progress, needs="C4b"),
    Claim("C5", "the test accuracy of {a} is better than that of {b}", _accuracy),
)
