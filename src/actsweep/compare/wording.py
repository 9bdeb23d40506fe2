"""Plain sentences for verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actsweep.compare.statistics.estimates import Interval
from actsweep.plural import plural

APPROXIMATION = {"at_least": "at least ", "at_most": "at most ", "between": "roughly "}
UNITS = {"seed": "replicate", "block": "tuning block"}
AIMS = {"hi": "high target", "lo": "low target"}
MOST_EXTRA_DIGITS = 3
FEW = 5  # names that are listed


@dataclass(frozen=True)
class Wording:
    """How one quantity is said.

    `subject` is a clause with {a}, {b} and {x} (the value); `kind` says how numbers are written: ratio, points
    (percentage points), share (per cent) or slope (decades per layer). `ways` are the words for a value above and for
    one below zero, where it can be either. `flipped`: the sentence speaks of the negative of the estimate.
    """

    subject: str
    kind: str
    ways: tuple[str, str] | None = None
    flipped: bool = False

    def turned(self, x: float) -> float:
        """A value as the sentence speaks of it."""
        return -x if self.flipped else x


ABOVE, LARGER, MORE = ("above", "below"), ("larger", "smaller"), ("more", "less")
WORDINGS = {
    "r_seconds_hi": Wording("{b} needed {x} times the training seconds of {a} to the same accuracy", "ratio"),
    "r_cost": Wording("one training step of {b} took {x} times as long as one of {a}", "ratio"),
    "d_grad_slope": Wording(
        "before training, each layer towards the input weakened the gradients of {b} by {x} than those of {a}, "
        "a decade being a factor of ten",
        "slope",
        MORE,
        flipped=True,
    ),
    "saturated": Wording("at the last evaluation {x} of the units of {b} were saturated", "share"),
    "drop": Wording(
        "the test accuracy of {a} was {x} at the epoch of its best validation accuracy than at its end",
        "points",
        ("higher", "lower"),
    ),
    "gap_end": Wording("the train accuracy of {a} ended {x} its held-out accuracy", "points", ABOVE),
    "d_gap_end": Wording(
        "at the end the gap between train and held-out accuracy was {x} for {a} than for {b}", "points", LARGER
    ),
    "d_gap_match": Wording(
        "at the same train loss the gap between train and validation accuracy was {x} for {a} than for {b}",
        "points",
        LARGER,
    ),
    "d_test_acc": Wording("the test accuracy of {a} was {x} that of {b}", "points", ABOVE),
    "d_test_acc healthy": Wording(
        "among the runs that trained properly, the test accuracy of {a} was {x} that of {b}", "points", ABOVE
    ),
    **{
        f"r_{unit}_{target}": Wording(f"{{b}} needed {{x}} times the {unit} of {{a}} to the {name}", "ratio")
        for unit in ("steps", "epochs")
        for target, name in AIMS.items()
    },
}


@dataclass(frozen=True)
class Finding:
    """An estimate with its interval as a clause, and in the words of that clause what it is held against.

    `against` is True where the value lies on the other side of zero than what the claim asks for.
    """

    clause: str
    asked: str
    asked_in_full: str
    against: bool


def finding(
    name: str, arms: tuple[str, str], interval: Interval, level: float, threshold: float, bound: str | None
) -> Finding:
    """Say an estimate, with as many digits as tell its interval from the threshold."""
    wording = WORDINGS[name]
    value, asked = wording.turned(interval.estimate), wording.turned(threshold)
    low, high = sorted(wording.turned(end) for end in (interval.low, interval.high))
    digits = _digits((low, high), asked, wording.kind)

    def text(x: float, unit: bool) -> str:
        return number(x, wording.kind, unit=unit, digits=digits)

    if wording.ways is None:
        shown = text(value, True)
        said = APPROXIMATION.get(bound or "", "") + ("1.0" if shown == "1" else shown)  # for "1 times" is no English
        ends = f"{text(low, False)} to {text(high, False)}"
        up, is_below = "", False
    else:
        up, down = wording.ways
        is_below = value < 0 and text(-value, False) != "0"
        same, other = (down, up) if is_below else (up, down)
        near, far = sorted(-x if is_below else x for x in (low, high))
        said = f"{text(abs(value), True)} {same}"
        if near >= 0:
            ends = f"{text(near, False)} to {text(far, False)}"
        else:
            ends = f"{text(-near, False)} {other} to {text(abs(far), False)} {same if far >= 0 else other}"
    clause = f"{wording.subject.format(a=arms[0], b=arms[1], x=said)} ({percent(level)} interval {ends})"
    return Finding(
        clause,
        number(asked, wording.kind, unit=wording.kind == "share"),
        f"{number(asked, wording.kind)} {up}".strip(),
        is_below,
    )


def number(value: float, kind: str, *, unit: bool = True, digits: int = 0) -> str:
    """A value in words of its kind, with its unit unless told otherwise, and with so many digits more than usual."""
    if kind == "ratio":
        return f"{value:.{3 + digits}g}" if value < 1000 else f"{value:.0f}"
    if kind == "slope":
        text = f"{value:.{3 + digits}g}"
        return f"{text} {plural('decade', text)}" if unit else text
    text = f"{round(100 * value, 1 + digits) + 0.0:.{1 + digits}f}".rstrip("0").removesuffix(".")  # the sum: no -0
    if not unit:
        return text
    return f"{text} %" if kind == "share" else f"{text} {plural('percentage point', text)}"


def percent(share: float) -> str:
    """A share as a percentage with up to two decimals."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def both(names: Sequence[str], word: str = "and") -> str:
    """One or two names as a phrase."""
    return f" {word} ".join(names)


def few(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    left = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {left} more" if left > 0 else "")


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    return text[:1].upper() + text[1:] + "."


def _digits(ends: Sequence[float], asked: float, kind: str) -> int:
    """How many more digits than usual tell the ends of an interval from each other and from what is asked."""
    different = len({*ends, asked})
    enough = (
        d for d in range(MOST_EXTRA_DIGITS) if len({number(x, kind, digits=d) for x in (*ends, asked)}) == different
    )
    return next(enough, MOST_EXTRA_DIGITS)
