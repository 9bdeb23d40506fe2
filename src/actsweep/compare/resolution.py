"""What a time to a target leaves open because a trial is looked at only now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actsweep.compare.claims import Pair
from actsweep.compare.comparisons import TIME_RATIOS
from actsweep.compare.table import Cell
from actsweep.compare.verdicts import Verdict
from actsweep.compare.wording import both, number


def resolution_warning(pair: Pair, verdicts: Sequence[Verdict], where: str) -> str | None:
    """A sentence on the verdicts that times between the evaluations might turn; None where there are none.

    `where` is the stratum in words, with a space before it.
    """
    open_ends = dict(_open(pair, verdicts))
    if not open_ends:
        return None
    ratios = ", ".join(
        f"{claim} from {number(low, 'ratio')} to {number(high, 'ratio')}" for claim, (low, high) in open_ends.items()
    )
    return (
        f"Of {both(pair.arms)}{where} it is known at which evaluation a target was reached, not when since the one "
        f"before. With that the ratio of {ratios} might lie on the other side of what the claim asks. Evaluations "
        "closer together would tell."
    )


def possible_ratios(pair: Pair, endpoint: str) -> tuple[float, float]:
    """The ratios of times that fit the evaluations: every B just after the one before, every A at its own, and the
    other way round. Steps and seconds are taken to run evenly between evaluations.
    """
    _, target = TIME_RATIOS[endpoint]
    estimate = pair.comparisons[endpoint].interval.estimate
    late_a, late_b = (_share_between(cell, target) for cell in (pair.a, pair.b))
    return estimate * (1.0 - late_b), estimate / (1.0 - late_a) if late_a < 1.0 else float("inf")


def _open(pair: Pair, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, tuple[float, float]]]:
    for verdict in verdicts:
        if verdict.verdict in ("supported", "refuted") and verdict.shown.name in TIME_RATIOS:
            low, high = possible_ratios(pair, verdict.shown.name)
            if low <= verdict.shown.threshold <= high:
                yield verdict.claim, (low, high)


def _share_between(cell: Cell, target: str) -> float:
    """Share of a cell's mean time to a target that lies between the evaluation that saw it and the one before."""
    between, epochs = (cell.units(f"{name}_{target}") for name in ("epochs_between", "epochs_to_target"))
    return float(between.mean() / epochs.mean())
