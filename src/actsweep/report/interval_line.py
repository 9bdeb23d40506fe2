"""A verdict's estimate and interval on a line against what is asked, as positions for a drawing."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_MARGIN = 0.08  # of the line, kept free at both ends
_ENDS = {"at_least": "right", "at_most": "left", "between": "both"}


@dataclass(frozen=True)
class IntervalLine:
    """Positions along a line, each from 0 (left) to 100 (right).

    Attributes:
        low: the interval's lower end.
        high: its upper end.
        estimate: the estimate.
        asked: the threshold, or both ends of the range that the estimate has to lie in.
        equal: where both arms are equal (a ratio of 1, a difference of 0); None where that is off the line, or means
            nothing.
        open_end: the end at which the truth may lie beyond the estimate: left, right, both or empty.
    """

    low: float
    high: float
    estimate: float
    asked: tuple[float, ...]
    equal: float | None
    open_end: str


def interval_line(verdict: Mapping[str, Any]) -> IntervalLine | None:
    """The line of a row of verdicts, logarithmic for a ratio; None where estimate, interval or threshold is missing."""
    is_ratio, compares = verdict["estimate_kind"] == "ratio", len(verdict["estimate_of"]) > 1
    values = [verdict[name] for name in ("low", "high", "estimate", "threshold")]
    if any(value is None or not math.isfinite(value) or (is_ratio and value <= 0) for value in values):
        return None
    scale: Callable[[float], float] = math.log if is_ratio else float
    low, high, estimate, threshold = map(scale, values)
    asked = (-threshold, threshold) if verdict["claim_asks"] == "within" else (threshold,)
    equal = 0.0  # also the logarithm of 1
    first, last = min(low, estimate, *asked), max(high, estimate, *asked)
    if compares and abs(equal - min(max(equal, first), last)) <= (last - first) / 2:  # near enough to be worth showing
        first, last = min(first, equal), max(last, equal)
    width = (last - first) or 1.0

    def at(value: float) -> float:
        return round(100 * (_MARGIN + (1 - 2 * _MARGIN) * (value - first) / width), 2)

    shows_equal = compares and first <= equal <= last and not any(math.isclose(equal, mark) for mark in asked)
    return IntervalLine(
        at(low),
        at(high),
        at(estimate),
        tuple(map(at, asked)),
        at(equal) if shows_equal else None,
        _ENDS.get(verdict["bound"], ""),
    )
