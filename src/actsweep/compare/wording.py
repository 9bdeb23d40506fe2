"""Plain sentences for verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from actsweep.compare.estimates import Interval

APPROXIMATION = {"at_least": "at least ", "at_most": "at most ", "between": "roughly "}
UNITS = {"seed": "replicates", "block": "tuning blocks"}


@dataclass(frozen=True)
class Wording:
    """How one quantity is said.

    `subject` is a clause with {a}, {b} and {x} (the value); `kind` says how numbers are written: ratio, points
    (percentage points), share (per cent) or slope (decades per layer).
    """

    subject: str
    kind: str


WORDINGS = {
    "r_seconds_hi": Wording("{b} needed {x} times the training seconds of {a} to the same accuracy", "ratio"),
    "r_cost": Wording("one training step of {b} took {x} times as long as one of {a}", "ratio"),
    "d_grad_slope": Wording(
        "with each layer towards the input, the gradients of {b} changed by {x} against those of {a} before training",
        "slope",
    ),
    "saturated": Wording("at the last evaluation {x} of the units of {b} were saturated", "share"),
    "drop": Wording("for {a}, stopping at its best epoch would have saved {x} of test accuracy", "points"),
    "gap_end": Wording("the train accuracy of {a} ended {x} above its held-out accuracy", "points"),
    "d_gap_end": Wording("the final gap of {a} was {x} larger than that of {b}", "points"),
    "d_gap_match": Wording("at the same train loss the gap of {a} was {x} larger than that of {b}", "points"),
    "d_test_acc": Wording("the test accuracy of {a} was {x} above that of {b}", "points"),
    "d_test_acc healthy": Wording(
        "over the trials that trained properly, the test accuracy of {a} was {x} above that of {b}", "points"
    ),
    **{
        f"r_{unit}_{target}": Wording(f"{{b}} needed {{x}} times the {unit} of {{a}} to the {name} target", "ratio")
        for unit in ("steps", "epochs")
        for target, name in (("hi", "high"), ("lo", "low"))
    },
}


def number(value: float, kind: str, *, unit: bool = True) -> str:
    """A value in words of its kind, with its unit unless told otherwise."""
    if kind == "ratio":
        return f"{value:.3g}"
    if kind == "slope":
        return f"{value:.3g} decades" if unit else f"{value:.3g}"
    text = f"{round(100 * value, 1) + 0.0:.1f}".removesuffix(".0")  # the sum turns -0 into 0
    if not unit:
        return text
    if kind == "share":
        return f"{text} %"
    return f"{text} percentage point" + ("" if text == "1" else "s")


def percent(share: float) -> str:
    """A share as a percentage with up to two decimals."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def finding(name: str, arms: tuple[str, str], interval: Interval, level: float, bound: str | None) -> str:
    """The clause that states an estimate and its interval."""
    wording = WORDINGS[name]
    value = APPROXIMATION.get(bound or "", "") + number(interval.estimate, wording.kind)
    low, high = (number(x, wording.kind, unit=False) for x in (interval.low, interval.high))
    subject = wording.subject.format(a=arms[0], b=arms[1], x=value)
    return f"{subject} ({percent(level)} interval {low} to {high})"


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    return text[:1].upper() + text[1:] + "."
