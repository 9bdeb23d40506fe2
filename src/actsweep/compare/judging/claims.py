"""The claims that a comparison decides, and the conditions each of them puts on its intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from actsweep.compare.cells import reached_share
from actsweep.compare.comparisons import MARGIN, TIME_RATIOS, Comparison, steps_unit
from actsweep.compare.judging.missing import why_no_measure, why_no_ratio
from actsweep.compare.statistics.estimates import Interval, mean_of
from actsweep.compare.trials.table import Cell
from actsweep.compare.wording import both, number
from actsweep.plural import count

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
    phase: str = "replicate"

    @property
    def arms(self) -> tuple[str, str]:
        """Names of the reference and of the other arm."""
        return self.a.arm, self.b.arm


@dataclass(frozen=True)
class Condition:
    """An interval held against a threshold: on its upper side for the claim (`below`: lower), on the other against.

    `name` is a key of the wordings, `units` the units that have the endpoint by arm, `lacks` says why there is no
    estimate, where there is none. `bars_support` and `bars_refutal` say why censoring bars that verdict, empty where it
    does not. With `two_sided` the condition counts against the claim outside +-threshold, for it where `equivalent`.
    """

    name: str
    interval: Interval
    threshold: float
    units: Mapping[str, int]
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
    def leans_against(self) -> bool:
        """Whether the estimate itself lies on the other side."""
        estimate = self.interval.estimate
        if self.two_sided:
            return abs(estimate) > self.threshold
        return estimate > self.threshold if self.below else estimate < self.threshold

    @property
    def asks(self) -> str:
        """Where a value supports the claim: over or below the threshold, or within it on either side of zero."""
        return "within" if self.two_sided else "below" if self.below else "over"

    @property
    def bar(self) -> str:
        """Why censoring keeps the verdict that the estimate points to out of reach, empty where it does not."""
        return self.bars_refutal if self.leans_against else self.bars_support

    @property
    def nearness(self) -> float:
        """Distance of the estimate from the threshold in half widths; smallest where it is hardest to decide."""
        distance = abs(self.interval.estimate - self.threshold)
        half = self.interval.half_width
        return distance / half if half > 0 else (float("inf") if distance else 0.0)


@dataclass(frozen=True)
class Demand:
    """What a claim asks for besides its intervals: whether it is met, and a clause that says what is the case."""

    met: bool
    clause: str


@dataclass(frozen=True)
class Case:
    """What a claim asks of one pair: every condition, and perhaps a further demand; `note` is for the reader."""

    conditions: tuple[Condition, ...]
    demand: Demand | None = None
    note: str = ""

    @property
    def unmet(self) -> str:
        """The clause of a demand that is not met, else empty."""
        return "" if self.demand is None or self.demand.met else self.demand.clause


@dataclass(frozen=True)
class Claim:
    """A numbered claim: its statement about {a} and {b} and a title for it, and what it asks of a pair."""

    name: str
    title: str
    statement: str
    case: Callable[[Pair], Case]
    needs: str | None = None


def _units(pair: Pair, comparison: Comparison) -> dict[str, int]:
    return dict(zip(pair.arms, comparison.units, strict=True))


def _of_endpoint(pair: Pair, endpoint: str, threshold: float, measure: str, *, below: bool = False) -> Condition:
    comparison = pair.comparisons[endpoint]
    lacks = why_no_measure((pair.a, pair.b), measure) if math.isnan(comparison.interval.estimate) else ""
    return Condition(
        endpoint, comparison.interval, threshold, _units(pair, comparison), lacks, below=below, bound=comparison.bound
    )


def _of_time(pair: Pair, endpoint: str, threshold: float) -> Condition:
    """A time ratio's condition, barred where censoring makes the ratio too large or too small."""
    unit, target = TIME_RATIOS[endpoint]
    comparison = pair.comparisons[endpoint]
    if math.isnan(comparison.interval.estimate):
        lacks = why_no_ratio(pair.a, pair.b, unit, target, pair.horizon)
        return Condition(endpoint, comparison.interval, threshold, _units(pair, comparison), lacks)
    reached = reached_share(pair.a, target), reached_share(pair.b, target)
    bars_support = bars_refutal = ""
    if comparison.bound in ("at_most", "between") and reached[0] < ENOUGH_REACHED:
        bars_support = f"{_few_reached(pair, pair.a.arm, reached[0])} be smaller; longer runs are needed"
    if comparison.bound in ("at_least", "between") and reached[1] < ENOUGH_REACHED:
        limit = number(comparison.largest, "ratio")
        bars_refutal = (
            f"{_few_reached(pair, pair.b.arm, reached[1])} be larger; runs as short as these can show no ratio above "
            f"{limit}, so longer ones are needed"
        )
    return Condition(
        endpoint,
        comparison.interval,
        threshold,
        _units(pair, comparison),
        "",
        bars_support=bars_support,
        bars_refutal=bars_refutal,
        bound=comparison.bound,
        largest=comparison.largest,
    )


def _few_reached(pair: Pair, arm: str, share: float) -> str:
    some = f"only {number(share, 'share')}" if share > 0 else "none"
    return f"but {some} of the runs of {arm} got there in {count(pair.horizon, 'epoch')}, so the true ratio may"


def _of_one_arm(pair: Pair, cell: Cell, name: str, threshold: float) -> Condition:
    units = cell.units(name)
    lacks = "" if len(units) else why_no_measure((cell,), name)
    return Condition(name, mean_of(units, pair.level), threshold, {cell.arm: len(units)}, lacks)


def _time(pair: Pair) -> Case:
    return Case((_of_time(pair, "r_seconds_hi", 2.0),))


def _cost(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "r_cost", 2.0, "step_ms"),))


def _vanishing(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "d_grad_slope", -0.15, "grad_slope", below=True),))


def _saturation(pair: Pair) -> Case:
    return Case((_of_one_arm(pair, pair.b, "saturated", 0.25),))


def _note(pair: Pair) -> str:
    if steps_unit(pair.a, pair.b) == "steps" or not (len(pair.a) and len(pair.b)):
        return ""
    lacking = [cell.arm for cell in (pair.a, pair.b) if not len(cell.known("steps_at_horizon"))]
    return f"epochs stand in for steps, as none are recorded for {both(lacking)}"


def _quicker(pair: Pair) -> Case:
    unit = steps_unit(pair.a, pair.b)
    return Case(tuple(_of_time(pair, f"r_{unit}_{target}", 1.5) for target in ("hi", "lo")), note=_note(pair))


def _less_time(pair: Pair) -> Case:
    unit = steps_unit(pair.a, pair.b)
    mostly = _part(pair.comparisons["r_seconds_hi"], "steps_share") > MOST
    clause = f"most of that is because it needed more {unit}"
    if not mostly:
        clause = f"no more than half of that is because it needed more {unit}"
    return Case((_of_time(pair, "r_seconds_hi", 1.0),), Demand(mostly, clause), _note(pair))


def _overfits(pair: Pair) -> Case:
    return Case((_of_one_arm(pair, pair.a, "drop", 0.01), _of_one_arm(pair, pair.a, "gap_end", 0.05)))


def _larger_gap(pair: Pair) -> Case:
    return Case((_of_endpoint(pair, "d_gap_end", 0.02, "gap_end"),))


def _progress(pair: Pair) -> Case:
    comparison = pair.comparisons["d_gap_match"]
    condition = Condition(
        "d_gap_match",
        comparison.interval,
        MARGIN,
        _units(pair, comparison),
        why_no_measure((pair.a, pair.b), "gap_match") if math.isnan(comparison.interval.estimate) else "",
        two_sided=True,
        equivalent=comparison.equivalent,
    )
    mostly = _part(comparison, "progress_share") > MOST
    share, because = "half of the gap's difference at the end", f"is there because {pair.a.arm} is further along"
    clause = f"over {share} {because}" if mostly else f"no more than {share} {because}"
    if _part(comparison, "difference") <= 0:
        clause = f"to validation accuracy the gap of {pair.a.arm} was not the larger one at the end"
    return Case((condition,), Demand(mostly, clause))


def _accuracy(pair: Pair) -> Case:
    comparison = pair.comparisons["d_test_acc"]
    condition = _of_endpoint(pair, "d_test_acc", 0.01, "test_acc")
    healthy = Condition("d_test_acc healthy", comparison.healthy, 0.01, condition.units, condition.lacks)
    better = pair.comparisons["p_a_better"].interval.estimate
    often = better >= CLEARLY_BETTER
    if not condition.holds and often and healthy.holds and pair.b.failure_share >= pair.a.failure_share:
        condition = healthy
    wins, asked = f"a random run of {pair.a.arm} beats a random run of {pair.b.arm}", number(CLEARLY_BETTER, "share")
    clause = f"{wins} {number(better, 'share')} of the time"
    if not often:
        clause = f"{wins} only {number(better, 'share')} of the time, less than the {asked} asked"
    return Case((condition,), Demand(often, clause))


def _part(comparison: Comparison, name: str) -> float:
    """A number among a comparison's parts, NaN where it has none."""
    return float(comparison.parts.get(name, math.nan))


CLAIMS = (
    Claim("C1a", "over twice the time", "{b} takes over 2x the training seconds of {a} to the same accuracy", _time),
    Claim("C1b", "over twice the cost of a step", "... because one step of {b} costs over 2x that of {a}", _cost),
    Claim("C2a", "vanishing gradients", "gradients of {b} vanish with depth more than those of {a}", _vanishing),
    Claim("C2b", "saturation", "units of {b} saturate during training", _saturation),
    Claim("C3a", "much quicker convergence", "{a} converges much quicker than {b}", _quicker),
    Claim("C3b", "less time", "... so {a} needs less time than {b}", _less_time),
    Claim("C4a", "overfitting", "{a} overfits", _overfits),
    Claim("C4b", "larger gap", "the gap of {a} is larger than that of {b}", _larger_gap),
    Claim("C4c", "gap through progress", "... because {a} is further along than {b}", _progress, needs="C4b"),
    Claim("C5", "better accuracy", "the test accuracy of {a} is better than that of {b}", _accuracy),
)
