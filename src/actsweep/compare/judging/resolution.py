"""What a time to a target leaves open because a trial is looked at only now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actsweep.compare.comparisons import TIME_RATIOS
from actsweep.compare.judging.claims import Condition, Pair
from actsweep.compare.judging.verdicts import Verdict
from actsweep.compare.trials.table import Cell
from actsweep.compare.wording import AIMS, both, number


def resolution_warning(pair: Pair, verdicts: Sequence[Verdict], where: str) -> str | None:
    """A sentence on the verdicts that times between the evaluations might turn; None where there are none.

    `where` is the stratum in words, with a space before it.
    """
    said = [
        f"{verdict.claim} ({AIMS[TIME_RATIOS[condition.name][1]]}) from {_range(pair, condition)}"
        for verdict in verdicts
        for condition in _open(pair, verdict)
    ]
    if not said:
        return None
    return (
        f"Of {both(pair.arms)}{where} it is known at which evaluation a target was reached, not when since the one "
        f"before. With that the ratio may be, of {', '.join(said)}: enough for another verdict. Evaluations closer "
        "together would tell."
    )


def stretch(pair: Pair, endpoint: str) -> tuple[float, float]:
    """By what a ratio of times shrinks at most, and grows, where times lie between evaluations.

    Every B just after the evaluation before its own and every A at its own, and the other way round. Steps and seconds
    are taken to run evenly between evaluations.
    """
    _, target = TIME_RATIOS[endpoint]
    between_a, between_b = (_share_between(cell, target) for cell in (pair.a, pair.b))
    return 1.0 - between_b, 1.0 / (1.0 - between_a) if between_a < 1.0 else float("inf")


def _open(pair: Pair, verdict: Verdict) -> Iterator[Condition]:
    """The conditions on times for which a verdict might be another: any that supports it, or all that refute it."""
    conditions = verdict.case.conditions
    if verdict.verdict == "supported":
        for condition in conditions:
            if condition.name in TIME_RATIOS and not _holds_anyhow(pair, condition):
                yield condition
    if verdict.verdict == "refuted":
        against = [condition for condition in conditions if condition.fails and not condition.bars_refutal]
        if all(condition.name in TIME_RATIOS and not _fails_anyhow(pair, condition) for condition in against):
            yield from against


def _holds_anyhow(pair: Pair, condition: Condition) -> bool:
    return condition.interval.low * stretch(pair, condition.name)[0] > condition.threshold


def _fails_anyhow(pair: Pair, condition: Condition) -> bool:
    return condition.interval.high * stretch(pair, condition.name)[1] < condition.threshold


def _range(pair: Pair, condition: Condition) -> str:
    estimate = condition.interval.estimate
    return " to ".join(number(estimate * factor, "ratio") for factor in stretch(pair, condition.name))


def _share_between(cell: Cell, target: str) -> float:
    """Share of a cell's mean time to a target that lies between the evaluation that saw it and the one before."""
    between, epochs = (cell.units(f"{name}_{target}") for name in ("epochs_between", "epochs_to_target"))
    return float(between.mean() / epochs.mean())
