"""Each claim about a pair is supported, refuted, undecided or not assessable, for a reason in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from actsweep.compare.claims import CLAIMS, Case, Claim, Condition, Pair
from actsweep.compare.estimates import Interval
from actsweep.compare.wording import UNITS, WORDINGS, finding, number, sentence

ENOUGH_UNITS = 10
POWER = 0.8  # chance of a decision that "would likely decide" stands for
FAR_OFF = 10_000  # units; beyond, more of them is no advice


@dataclass(frozen=True)
class Verdict:
    """One claim's verdict on one pair; NaN for what does not exist.

    `interval` and `threshold` are those of the condition nearest its threshold. `more_units` is how many more units
    per arm would likely decide an undecided claim, None where units would not help.
    """

    claim: str
    statement: str
    verdict: str
    interval: Interval
    threshold: float
    bound: str | None
    largest: float
    more_units: int | None
    why: str


def judge_pair(pair: Pair) -> list[Verdict]:
    """The verdict on every claim, in the claims' order."""
    verdicts: dict[str, Verdict] = {}
    for claim in CLAIMS:
        needed = verdicts[claim.needs] if claim.needs else None
        verdicts[claim.name] = _judge(pair, claim, needed)
    return list(verdicts.values())


def _judge(pair: Pair, claim: Claim, needed: Verdict | None) -> Verdict:
    case = claim.case(pair)
    shown = min(case.conditions, key=lambda c: c.nearness if c.interval.known else math.inf)
    reason, more = _not_assessable(pair, case, needed)
    if reason:
        verdict, why = "not assessable", reason
    else:
        verdict = _decide(case)
        more = _more_units(case, pair.level) if verdict == "undecided" else None
        why = _why(pair, case, shown, verdict, more)
    return Verdict(
        claim.name,
        claim.statement.format(a=pair.a.arm, b=pair.b.arm),
        verdict,
        shown.interval,
        shown.threshold,
        shown.bound,
        shown.largest,
        more,
        sentence(f"{why} ({case.note})" if case.note and not reason else why),
    )


def _not_assessable(pair: Pair, case: Case, needed: Verdict | None) -> tuple[str, int | None]:
    """Why a claim cannot be assessed ("" if it can), and how many more units per arm would change that."""
    for cell in (pair.a, pair.b):
        if len(cell) == 0:
            return f"there are no trials of {cell.arm} to compare", None
    if needed is not None and needed.verdict != "supported":
        return f"asked only where {needed.claim} is supported, which is {needed.verdict}", None
    for condition in case.conditions:
        fewest = min(condition.units)
        if fewest == 0 or math.isnan(condition.interval.estimate):
            return condition.lacks, None
        if fewest < ENOUGH_UNITS:
            more = ENOUGH_UNITS - fewest
            units = UNITS[pair.unit_name]
            return f"only {fewest} {units} have what it takes and {ENOUGH_UNITS} are needed: {more} more per arm", more
        if not condition.interval.known:
            return condition.lacks, None
    return "", None


def _decide(case: Case) -> str:
    supported = not case.besides and all(c.holds and not c.bars_support for c in case.conditions)
    refuted = any(c.fails and not c.bars_refutal for c in case.conditions)
    if supported == refuted:
        return "undecided"
    return "supported" if supported else "refuted"


def _why(pair: Pair, case: Case, shown: Condition, verdict: str, more: int | None) -> str:
    """The reason of a claim that can be assessed, as a clause."""
    if verdict == "supported":
        return "; and ".join(_said(pair, condition) for condition in case.conditions)
    if verdict == "refuted":
        failing = next(c for c in case.conditions if c.fails and not c.bars_refutal)
        return _said(pair, shown if shown.fails and not shown.bars_refutal else failing)
    unsettled = [c for c in case.conditions if _bar(c) or not (c.holds or c.fails)]
    condition = min(unsettled, key=lambda c: c.nearness, default=shown)
    said = _said(pair, condition)
    if bar := _bar(condition):
        return f"{said}, {bar}"
    if not unsettled:
        return f"{said}, {case.besides}"
    if more is None:
        return f"{said}; the estimate lies so near that more {UNITS[pair.unit_name]} are unlikely to decide it"
    return f"{said}; about {more} more {UNITS[pair.unit_name]} per arm would likely decide it"


def _said(pair: Pair, condition: Condition) -> str:
    """A condition's finding and where it lies against what was asked."""
    said = finding(condition.name, pair.arms, condition.interval, pair.level, condition.bound)
    asked = number(condition.threshold, WORDINGS[condition.name].kind)
    if condition.two_sided:
        place = "within" if condition.holds else "outside" if condition.fails else "neither clearly within nor outside"
        return f"{said}, {place} the +-{asked} asked"
    return f"{said}, {_place(condition)} the {asked} asked"


def _place(condition: Condition) -> str:
    if not (condition.holds or condition.fails):
        return "on both sides of"
    return "more than" if condition.holds != condition.below else "less than"


def _bar(condition: Condition) -> str:
    """Why censoring keeps the verdict that the estimate points to out of reach, "" where it does not."""
    if condition.interval.estimate > condition.threshold:
        return condition.bars_support
    return condition.bars_refutal


def _more_units(case: Case, level: float) -> int | None:
    """Units per arm to add until the interval of the nearest undecided condition likely clears its threshold.

    Its half width shrinks with the root of the number of units, the estimate is taken as it is; None where more units
    would not help: a bar by censoring, a demand besides the interval, or an estimate on the threshold.
    """
    needs = [_more_for(c, level) for c in case.conditions if not (c.holds or c.fails) and not _bar(c)]
    if not needs or any(need > FAR_OFF for need in needs):
        return None
    return math.ceil(max(needs))


def _more_for(condition: Condition, level: float) -> float:
    interval, threshold = condition.interval, condition.threshold
    if WORDINGS[condition.name].kind == "ratio":
        interval = Interval(*(math.log(x) for x in (interval.estimate, interval.low, interval.high)))
        threshold = math.log(threshold)
    elif condition.two_sided:
        threshold = math.copysign(threshold, interval.estimate)
    distance = abs(interval.estimate - threshold)
    if distance == 0:
        return math.inf
    z = float(special.ndtri(0.5 + level / 2.0))
    stretch = (z + float(special.ndtri(POWER))) / z * interval.half_width / distance
    n = min(condition.units)
    return max(1.0, n * (float(np.square(stretch)) - 1.0))
