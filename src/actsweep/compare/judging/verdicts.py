"""Each claim about a pair is supported, refuted, undecided or not assessable, for a reason in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from actsweep.compare.judging.claims import CLAIMS, Case, Claim, Condition, Pair
from actsweep.compare.statistics.estimates import Interval
from actsweep.compare.wording import UNITS, WORDINGS, finding, number, sentence
from actsweep.plural import count

ENOUGH_UNITS = 10
POWER = 0.8  # chance of a decision that "would likely decide" stands for
FAR_OFF = 10_000  # units; beyond, more of them is no advice


@dataclass(frozen=True)
class Verdict:
    """One claim's verdict on one pair; NaN for what does not exist.

    `case` is what the claim asks of the pair, `shown` its condition nearest its threshold. `more_units` is how many
    more units per arm would likely decide an undecided claim, None where units would not help.
    """

    claim: str
    title: str
    statement: str
    verdict: str
    case: Case
    shown: Condition
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
        why, more = (
            _undecided(pair, case, shown) if verdict == "undecided" else (_decided(pair, case, shown, verdict), None)
        )
    return Verdict(
        claim.name,
        claim.title,
        claim.statement.format(a=pair.a.arm, b=pair.b.arm),
        verdict,
        case,
        shown,
        more,
        sentence(f"{why} ({case.note})" if case.note else why),
    )


def _not_assessable(pair: Pair, case: Case, needed: Verdict | None) -> tuple[str, int | None]:
    """Why a claim cannot be assessed ("" if it can), and how many more units per arm would change that."""
    for cell in (pair.a, pair.b):
        if len(cell) == 0:
            own = f"are no replicates of {cell.arm}"
            crossed = f"is no run of {cell.arm} at this learning rate"
            return f"there {own if pair.phase == 'replicate' else crossed} to compare", None
    if needed is not None and needed.verdict != "supported":
        return f"this is asked only where {needed.claim} is supported, and {needed.claim} is {needed.verdict}", None
    for condition in case.conditions:
        if condition.lacks:
            return condition.lacks, None
    scarce = min(case.conditions, key=lambda c: min(c.units.values()))
    fewest = min(scarce.units.values())
    if fewest >= ENOUGH_UNITS:
        return "", None
    more = ENOUGH_UNITS - fewest
    arms = [arm for arm, units in scarce.units.items() if units == fewest]
    of = f"of {arms[0]} " if len(arms) == 1 else "per arm "
    each = "" if len(arms) == 1 else " per arm"
    return (
        f"only {count(fewest, UNITS[pair.unit_name])} {of}can be used for this, and {ENOUGH_UNITS} are needed: "
        f"{more} more{each}"
    ), more


def _decide(case: Case) -> str:
    supported = not case.unmet and all(c.holds and not c.bars_support for c in case.conditions)
    refuted = any(c.fails and not c.bars_refutal for c in case.conditions)
    if supported == refuted:
        return "undecided"
    return "supported" if supported else "refuted"


def _decided(pair: Pair, case: Case, shown: Condition, verdict: str) -> str:
    """The reason of a claim that is supported or refuted, as a clause."""
    if verdict == "supported":
        said = "; and ".join(_said(pair, condition) for condition in case.conditions)
        return said if case.demand is None else f"{said}, and {case.demand.clause}"
    failing = next(c for c in case.conditions if c.fails and not c.bars_refutal)
    return _said(pair, shown if shown.fails and not shown.bars_refutal else failing)


def _undecided(pair: Pair, case: Case, shown: Condition) -> tuple[str, int | None]:
    """What keeps a claim from a decision, as a clause, and how many more units per arm would likely decide it.

    A condition that leans against the claim decides it alone; else all of them have to be settled. None where units
    would not help: a bar by censoring, a demand that is not met, or an estimate on the threshold.
    """
    unsettled = [c for c in case.conditions if not (c.holds or c.fails)]
    against = [c for c in unsettled if c.leans_against and not c.bar]
    barred = [c for c in case.conditions if c.bar]
    if not against and barred:
        condition = min(barred, key=lambda c: c.nearness)
        return f"{_said(pair, condition)}; {condition.bar}", None
    if not against and case.unmet:
        if unsettled:
            return f"{_said(pair, min(unsettled, key=lambda c: c.nearness))}; besides, {case.unmet}", None
        return f"{_said(pair, shown)}, but {case.unmet}", None
    pick = min if against else max
    condition = pick(against or unsettled, key=lambda c: _more_for(c, pair.level))
    said, more = _said(pair, condition), _more_for(condition, pair.level)
    unit = UNITS[pair.unit_name]
    if more > FAR_OFF:
        return f"{said}; the estimate lies so near to it that more {unit}s are unlikely to decide this", None
    more = math.ceil(more)
    return f"{said}; about {more} more {unit}s per arm would likely decide it", more


def _said(pair: Pair, condition: Condition) -> str:
    """A condition's finding and where it lies against what was asked."""
    found = finding(
        condition.name, pair.arms, condition.interval, pair.level, condition.threshold, bound=condition.bound
    )
    is_settled = condition.holds or condition.fails
    if condition.two_sided:
        margin = number(condition.threshold, WORDINGS[condition.name].kind)
        return f"{found.clause}, {_place(condition)} the {margin} either way that counts as equal"
    if found.against:
        still = "" if is_settled else ", which is still possible"
        return f"{found.clause}, where the claim asks for over {found.asked_in_full}{still}"
    side = "less than" if condition.fails else "more than"
    return f"{found.clause}, {'' if is_settled else 'which leaves open whether it is '}{side} the {found.asked} asked"


def _place(condition: Condition) -> str:
    """Where an interval lies against a margin; the tests for equality look at a shorter one, of twice its error."""
    if condition.fails:
        return "beyond"
    if not condition.holds:
        return "neither clearly within nor beyond"
    within = max(abs(condition.interval.low), abs(condition.interval.high)) < condition.threshold
    return "within" if within else "by two one-sided tests within"


def _more_for(condition: Condition, level: float) -> float:
    """Units per arm to add until the interval of an undecided condition likely clears its threshold.

    Its half width shrinks with the root of the number of units, the estimate is taken as it is.
    """
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
    n = min(condition.units.values())
    return n * (float(np.square(stretch)) - 1.0)
