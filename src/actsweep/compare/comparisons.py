"""Every endpoint of a pair of arms: estimate, interval, tests, and what censoring does to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from actsweep.compare.cells import TARGETS, reached_share
from actsweep.compare.statistics.estimates import Interval, difference_of_means, equivalent, ratio_of_means, unit_means
from actsweep.compare.statistics.permutation import permutation_p
from actsweep.compare.statistics.ranks import placements, probability_better
from actsweep.compare.trials.table import Cell
from actsweep.curves import TIME_UNITS

MARGIN = 0.01  # accuracy within which two arms count as equivalent
NAN = float("nan")
UNKNOWN = Interval()

TIME_RATIOS = {f"r_{unit}_{target}": (unit, target) for unit in TIME_UNITS for target in TARGETS}
DIFFERENCES = {
    "d_test_acc": "test_acc",
    "d_gap_end": "gap_end",
    "d_gap_match": "gap_match",
    "d_grad_slope": "grad_slope",
    "d_nauc": "nauc",
}
OTHER_MINUS_REFERENCE = "d_grad_slope"
ENDPOINTS = (*TIME_RATIOS, "r_cost", *DIFFERENCES, "p_a_better")
EQUIVALENCE = ("d_test_acc", "d_gap_match")
# By whether all of A and all of B reached the target: A's censoring makes the ratio too large, B's too small.
BOUNDS = {(True, True): "exact", (True, False): "at_least", (False, True): "at_most", (False, False): "between"}


@dataclass(frozen=True)
class Comparison:
    """One endpoint of one pair; NaN or None for what cannot be had.

    `n` and `units` count the trials and units of A and of B that have the endpoint. `healthy` is the same interval over
    the trials that neither diverged nor got stuck. `parts` splits the estimate where it can be split.
    """

    endpoint: str
    n: tuple[int, int]
    units: tuple[int, int]
    interval: Interval = UNKNOWN
    healthy: Interval = UNKNOWN
    p_permutation: float = NAN
    bound: str | None = None
    largest: float = NAN
    equivalent: bool | None = None
    parts: Mapping[str, float | str] = field(default_factory=dict)


def compare_pair(a: Cell, b: Cell, level: float) -> dict[str, Comparison]:
    """Every endpoint of reference `a` and other arm `b` in one stratum, by name; all are there, whatever can be had."""
    result = {name: _time_ratio(a, b, name, level) for name in TIME_RATIOS}
    result["r_cost"] = _ratio(a, b, "r_cost", "step_ms", level)
    result |= {name: _difference(a, b, name, level) for name in DIFFERENCES}
    result["p_a_better"] = _p_a_better(a, b, level)
    for target in TARGETS:
        name = f"r_seconds_{target}"
        result[name] = replace(result[name], parts=_time_parts(result, steps_unit(a, b), target))
    result["d_gap_match"] = replace(result["d_gap_match"], parts=_gap_parts(a, b, result["d_gap_match"]))
    return result


def steps_unit(a: Cell, b: Cell) -> str:
    """What training steps are counted in: epochs where an arm has no `step` at all."""
    return "steps" if all(len(cell.known("steps_at_horizon")) for cell in (a, b)) else "epochs"


def _time_ratio(a: Cell, b: Cell, endpoint: str, level: float) -> Comparison:
    unit, target = TIME_RATIOS[endpoint]
    name = f"{unit}_to_target_{target}"
    plain = _ratio(a, b, endpoint, name, level)
    shares = reached_share(a, target), reached_share(b, target)
    if not any(share > 0 for share in shares):  # neither reached: the ratio would be the horizon's alone
        return Comparison(endpoint, plain.n, plain.units)
    if math.isnan(plain.interval.estimate):
        return plain
    own = b.units(f"{unit}_at_horizon")
    largest = float(own.mean() / a.units(name).mean()) if len(own) else NAN
    return replace(plain, bound=BOUNDS[shares[0] == 1, shares[1] == 1], largest=largest)


def _ratio(a: Cell, b: Cell, endpoint: str, name: str, level: float) -> Comparison:
    """B / A of the mean of the measure `name`."""
    units = a.units(name), b.units(name)
    interval = ratio_of_means(units[1], units[0], level)
    known = not math.isnan(interval.estimate)
    healthy = a.healthy_only, b.healthy_only
    return Comparison(
        endpoint,
        (len(a.known(name)), len(b.known(name))),
        (len(units[0]), len(units[1])),
        interval,
        ratio_of_means(healthy[1].units(name), healthy[0].units(name), level),
        permutation_p(*units) if known else NAN,
        bound="exact" if known else None,
    )


def _difference(a: Cell, b: Cell, endpoint: str, level: float) -> Comparison:
    """A - B of the mean of a measure, B - A for the gradient slope."""
    name = DIFFERENCES[endpoint]
    first, second = (b, a) if endpoint == OTHER_MINUS_REFERENCE else (a, b)
    units = first.units(name), second.units(name)
    healthy = first.healthy_only, second.healthy_only
    return Comparison(
        endpoint,
        (len(a.known(name)), len(b.known(name))),
        (len(a.units(name)), len(b.units(name))),
        difference_of_means(*units, level),
        difference_of_means(healthy[0].units(name), healthy[1].units(name), level),
        permutation_p(*units),
        equivalent=equivalent(*units, level, MARGIN) if endpoint in EQUIVALENCE else None,
    )


def _p_a_better(a: Cell, b: Cell, level: float) -> Comparison:
    a, b = a.having("test_acc"), b.having("test_acc")
    healthy = a.healthy_only, b.healthy_only
    pooled = np.concatenate([a["test_acc"], b["test_acc"]])
    ranks = placements(a["test_acc"], pooled), placements(b["test_acc"], pooled)
    return Comparison(
        "p_a_better",
        (len(a), len(b)),
        (len(a.units("test_acc")), len(b.units("test_acc"))),
        probability_better(a["test_acc"], b["test_acc"], (a.unit, b.unit), level),
        probability_better(healthy[0]["test_acc"], healthy[1]["test_acc"], (healthy[0].unit, healthy[1].unit), level),
        permutation_p(unit_means(ranks[0], a.unit), unit_means(ranks[1], b.unit)),
    )


def _time_parts(comparisons: Mapping[str, Comparison], steps: str, target: str) -> dict[str, float | str]:
    """log R_seconds as a steps part and a cost part, which is the rest; `steps_share` is the steps' share of it."""
    seconds = comparisons[f"r_seconds_{target}"].interval.estimate
    ratio = comparisons[f"r_{steps}_{target}"].interval.estimate
    if math.isnan(seconds) or math.isnan(ratio):
        return {}
    whole, part = math.log(seconds), math.log(ratio)
    share = part / whole if whole else NAN
    return {"steps_part": part, "cost_part": whole - part, "steps_share": share, "steps_from": steps}


def _gap_parts(a: Cell, b: Cell, matched: Comparison) -> dict[str, float | str]:
    """The difference of final validation gaps over trials with `gap_match`: the part at matched loss, and the rest."""
    if math.isnan(matched.interval.estimate):
        return {}
    whole = difference_of_means(
        a.having("gap_match").units("gap_end_val"), b.having("gap_match").units("gap_end_val"), 0.95
    ).estimate
    progress = whole - matched.interval.estimate
    share = progress / whole if whole > 0 else NAN
    return {
        "difference": whole,
        "matched": matched.interval.estimate,
        "progress": progress,
        "progress_share": share,
    }
