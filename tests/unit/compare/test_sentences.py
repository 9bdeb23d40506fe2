"""Every sentence that `why` can say: one plain, true sentence in each case that a verdict can come to.

The sentences stand in tests/golden/why.txt, a line a case, to be read as a whole.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actsweep.compare import Cell
from arms import HORIZON, N, arm, around, judge

GOLDEN = Path(__file__).parents[2] / "golden" / "why.txt"
NAN = np.nan
CENSORED = [HORIZON] * N
HALF_AT_1, HALF_AT_19 = [1.0, HORIZON] * 20, [19.0, HORIZON] * 20
FEW: dict[str, Any] = {"hi": around(4, n=5), "lo": around(3, n=5)}
FAILS, FAILING = [0] * 10 + [1, 1], np.append(around(0.8, n=10), [0.1, 0.1])
Case = tuple[str, Cell, Cell]


def a(**measures: Any) -> Cell:
    return arm("relu", **measures)


def b(**measures: Any) -> Cell:
    return arm("sigmoid", **measures)


def forty(make: Any, hi: Any) -> Cell:
    made: Cell = make(hi=hi, lo=around(3, n=40))
    return made


def untimed(make: Any) -> Cell:
    made: Cell = make()
    made["seconds_to_target_hi"].fill(NAN)
    return made


def aimless(make: Any) -> Cell:
    made: Cell = make()
    for measure in ("reached", "epochs_to_target", "steps_to_target", "seconds_to_target"):
        made[f"{measure}_hi"].fill(NAN)
    return made


def times() -> Iterator[tuple[str, Case]]:
    yield "C1a supported", ("C1a", a(hi=4.0), b(hi=9.2))
    yield "C1a supported, B censored", ("C1a", a(hi=4.0), b(hi=CENSORED))
    yield "C1a refuted", ("C1a", a(hi=4.0), b(hi=7.0))
    yield "C1a refuted, A censored", ("C1a", a(hi=[*[HORIZON] * 9, *[18.0] * 3]), b(hi=19.0))
    yield "C1a undecided", ("C1a", a(hi=4.0), b(hi=8.05))
    yield "C1a on the threshold", ("C1a", a(hi=4.0), b(hi=8.0))
    yield "C1a too short a horizon, none reached", ("C1a", a(hi=11.0), b(hi=CENSORED))
    yield "C1a too short a horizon, some reached", ("C1a", a(hi=11.0), b(hi=[*[HORIZON] * 7, *[15.0] * 5]))
    yield "C1a neither reached", ("C1a", a(hi=CENSORED), b(hi=CENSORED))
    yield "C1a there at once", ("C1a", a(hi=[0.0] * N), b(hi=3.0))
    yield "C1a no seconds in one arm", ("C1a", untimed(a), b())
    yield "C1a no seconds", ("C1a", untimed(a), untimed(b))
    yield "C1a no target", ("C1a", aimless(a), aimless(b))
    yield "C1a few units in both arms", ("C1a", a(**FEW), b(**FEW))
    yield "C1a few units in one arm", ("C1a", a(hi=around(4, n=9), lo=around(3, n=9)), b())
    yield "C1a one unit", ("C1a", a(hi=[4.0], lo=[3.0]), b())
    yield "C1a no arm", ("C1a", a(), b(hi=[], lo=[]))
    yield "C3a supported", ("C3a", a(hi=4.0, lo=3.0), b(hi=8.0, lo=6.0))
    yield "C3a refuted", ("C3a", a(hi=4.0, lo=3.0), b(hi=8.0, lo=4.0))
    yield "C3a refuted, equal", ("C3a", a(hi=4.0, lo=3.0), b(hi=4.0, lo=3.0))
    yield "C3a undecided, leaning for", ("C3a", a(hi=4.0, lo=3.0), b(hi=6.02, lo=4.52))
    yield "C3a undecided, leaning against", ("C3a", a(hi=4.0, lo=3.0), b(hi=6.02, lo=4.48))
    yield "C3a one target barred, the other leaning for", ("C3a", a(hi=14.0, lo=3.0), b(hi=CENSORED, lo=4.51))
    yield "C3a one target barred, the other leaning against", ("C3a", a(hi=14.0, lo=3.0), b(hi=CENSORED, lo=4.49))
    yield "C3a supported, no steps in one arm", ("C3a", a(steps=False), b(hi=8.0, lo=6.0))
    yield "C3a supported, no steps", ("C3a", a(steps=False), b(hi=8.0, lo=6.0, steps=False))
    yield "C3a no steps and few units", ("C3a", a(**FEW, steps=False), b(**FEW, steps=False))
    yield "C3a no arm", ("C3a", a(), b(hi=[], lo=[], steps=False))
    yield "C3b supported", ("C3b", a(), b(hi=6.0))
    yield "C3b refuted", ("C3b", a(), b(hi=3.0))
    yield "C3b undecided", ("C3b", a(), b(hi=4.01))
    yield "C3b cost rather than steps", ("C3b", a(), b(hi=4.4, second=1.5))
    yield "C3b cost rather than epochs", ("C3b", a(steps=False), b(hi=4.4, second=1.5))
    yield "C3b undecided, cost rather than steps", ("C3b", a(), b(hi=3.9, second=1.03))
    yield "C3b A censored", ("C3b", forty(a, HALF_AT_1), forty(b, around(19.9, 0.001, 40)))
    yield "C3b both censored, leaning for", ("C3b", forty(a, HALF_AT_1), forty(b, HALF_AT_19))
    yield "C3b both censored, leaning against", ("C3b", forty(a, HALF_AT_19), forty(b, HALF_AT_1))


def mechanisms() -> Iterator[tuple[str, Case]]:
    yield "C1b supported", ("C1b", a(step_ms=10.0), b(step_ms=22.0))
    yield "C1b refuted", ("C1b", a(step_ms=10.0), b(step_ms=10.4))
    yield "C1b undecided", ("C1b", a(step_ms=10.0), b(step_ms=20.1))
    yield "C1b not recorded in one arm", ("C1b", a(step_ms=10.0), b())
    yield "C1b not recorded", ("C1b", a(), b())
    yield "C1b zero", ("C1b", a(step_ms=0.0), b(step_ms=1.0))
    for name, slope in (("supported", -0.62), ("refuted", -0.1), ("undecided", -0.2015), ("refuted, less", 0.3)):
        yield f"C2a {name}", ("C2a", a(grad_slope=-0.05), b(grad_slope=slope))
    yield "C2a undecided, less", ("C2a", a(grad_slope=around(-0.05, 20.0)), b(grad_slope=0.03))
    yield "C2a not recorded", ("C2a", a(grad_slope=-0.05), b())
    for name, share in (("supported", 0.4), ("refuted", 0.1), ("undecided", 0.252)):
        yield f"C2b {name}", ("C2b", a(), b(saturated=share))
    yield "C2b not recorded", ("C2b", a(), b())
    yield "C2b all diverged", ("C2b", a(), b(diverged=[1] * N))


def gaps() -> Iterator[tuple[str, Case]]:
    yield "C4a supported", ("C4a", a(drop=0.03, gap_end=0.1), b())
    yield "C4a refuted by the drop", ("C4a", a(drop=0.001, gap_end=0.1), b())
    yield "C4a refuted by a rise", ("C4a", a(drop=-0.01, gap_end=0.1), b())
    yield "C4a refuted by the gap", ("C4a", a(drop=0.03, gap_end=0.02), b())
    yield "C4a refuted by a gap below zero", ("C4a", a(drop=0.03, gap_end=-0.02), b())
    yield "C4a undecided", ("C4a", a(drop=0.0101, gap_end=0.1), b())
    yield "C4a undecided, a rise", ("C4a", a(drop=around(-0.002, 20.0), gap_end=0.1), b())
    yield "C4a no test accuracy of the best epoch", ("C4a", a(gap_end=0.1, test_acc=0.9), b())
    yield "C4a no test accuracy", ("C4a", a(gap_end=0.1), b())
    yield "C4a no train accuracy", ("C4a", a(drop=0.1), b())
    yield "C4a all diverged", ("C4a", a(diverged=[1] * N), b())
    yield "C4a few units", ("C4a", a(drop=0.03, gap_end=np.append(around(0.1, n=7), [NAN] * 5)), b())
    for name, gap in (("supported", 0.1), ("refuted", 0.06), ("undecided", 0.0702), ("refuted, smaller", 0.03)):
        yield f"C4b {name}", ("C4b", a(gap_end=gap), b(gap_end=0.05))
    yield "C4b undecided, smaller", ("C4b", a(gap_end=around(0.04, 2.0)), b(gap_end=0.05))
    yield "C4b no train accuracy", ("C4b", a(gap_end=0.1), b())
    yield "C4b no test accuracy", ("C4b", a(gap_end=0.1), b(gap_end_val=0.1))
    large: dict[str, Any] = {"gap_end": 0.1, "gap_end_val": 0.1}
    other = b(gap_end=0.05, gap_end_val=0.05, gap_match=0.04)
    matched = {"supported": 0.042, "supported, smaller": 0.035, "supported, only just": 0.0493, "refuted": 0.08}
    matched |= {"refuted, smaller": 0.02, "undecided": 0.0497, "on the margin": 0.05}
    for name, gap in matched.items():
        yield f"C4c {name}", ("C4c", a(gap_match=gap, **large), other)
    yield "C4c not by progress", ("C4c", a(gap_match=0.042, gap_end=0.1, gap_end_val=0.051), other)
    yield "C4c no gap to validation", ("C4c", a(gap_match=0.042, gap_end=0.1, gap_end_val=0.041), other)
    yield "C4c C4b refuted", ("C4c", a(gap_end=0.06, gap_match=0.04), other)
    yield "C4c C4b not assessable", ("C4c", a(gap_match=0.04), other)
    yield "C4c no train loss", ("C4c", a(**large), b(gap_end=0.05))
    fitted = a(**large, gap_match=0.1, train_loss_min=0.1)
    yield "C4c never fitted", ("C4c", fitted, b(gap_end=0.05, gap_end_val=0.05, train_loss_min=0.5))


def accuracies() -> Iterator[tuple[str, Case]]:
    for name, x in (("supported", 0.9), ("refuted", 0.7), ("undecided", 0.811), ("undecided, equal", 0.8)):
        yield f"C5 {name}", ("C5", a(test_acc=x), b(test_acc=0.8))
    yield "C5 undecided, below", ("C5", a(test_acc=around(0.795, 0.02)), b(test_acc=around(0.8, 0.04)))
    yield "C5 undecided, hardly below", ("C5", a(test_acc=0.7999), b(test_acc=0.8))
    yield "C5 healthy trials decide", ("C5", a(test_acc=0.9), b(test_acc=FAILING, diverged=FAILS))
    yield "C5 the reference fails more often", ("C5", a(test_acc=FAILING + 0.1, diverged=FAILS), b(test_acc=0.8))
    rng = np.random.default_rng(0)
    many = {"hi": around(4, n=2000), "lo": around(3, n=2000)}
    one, other = a(test_acc=rng.normal(0.8, 0.1, 2000), **many), b(test_acc=rng.normal(0.77, 0.1, 2000), **many)
    yield "C5 not often enough", ("C5", one, other)
    yield "C5 not recorded", ("C5", a(test_acc=0.9), b())


CASES = dict([*times(), *mechanisms(), *gaps(), *accuracies()])
SENTENCES = dict(line.split(": ", 1) for line in GOLDEN.read_text().splitlines())


def test_every_case_has_its_sentence() -> None:
    assert list(CASES) == list(SENTENCES)


@pytest.mark.parametrize("name", CASES)
def test_a_verdict_gives_its_reason_in_the_recorded_sentence(name: str) -> None:
    verdict = judge(*CASES[name])
    assert verdict.why == SENTENCES[name]
    for word in ("supported", "refuted"):
        assert (verdict.verdict == word) == name.split()[1].startswith(word) or name == "C5 healthy trials decide"


def test_blocks_are_called_blocks() -> None:
    few = judge("C1a", a(**FEW), b(**FEW), unit="block")
    assert few.why == "Only 5 tuning blocks per arm can be used for this, and 10 are needed: 5 more per arm."
    undecided = judge("C4b", a(gap_end=0.0702), b(gap_end=0.05), unit="block")
    assert f"about {undecided.more_units} more tuning blocks per arm" in undecided.why


def test_an_arm_that_was_not_crossed_is_said_to_be_missing_at_that_rate() -> None:
    verdict = judge("C1a", a(), b(hi=[], lo=[]), phase="at_a_lr")
    assert verdict.why == "There is no run of sigmoid at this learning rate to compare."


def test_ends_that_round_to_the_threshold_get_more_digits() -> None:
    verdict = judge("C1b", a(step_ms=10.0), b(step_ms=20.35))
    assert verdict.verdict == "supported"
    assert "interval 2.001 to 2.069), more than the 2 asked" in verdict.why
