import math
from typing import Any

import pytest

from actsweep.report.interval_line import IntervalLine, interval_line

FORM = {"estimate_kind": "points", "estimate_of": ["relu", "sigmoid"], "claim_asks": "over"}


def line(low: float, estimate: float, high: float, asked: float, **form: Any) -> IntervalLine:
    row = {"low": low, "estimate": estimate, "high": high, "threshold": asked, "bound": None}
    found = interval_line({**row, **FORM, **form})
    assert found is not None
    return found


def test_everything_lies_on_the_line_in_order() -> None:
    found = line(1.2, 2.0, 3.0, 1.0)
    assert 0 < found.asked[0] < found.low < found.estimate < found.high < 100


def test_where_the_interval_ends_at_what_is_asked_so_does_the_line() -> None:
    found = line(1.0, 2.0, 3.0, 1.0)
    assert found.low == found.asked[0]


def test_a_ratio_is_drawn_on_a_logarithmic_line() -> None:
    found = line(0.5, 1.0, 2.0, 4.0, estimate_kind="ratio")
    assert found.estimate - found.low == pytest.approx(found.high - found.estimate, abs=0.02)


def test_no_difference_is_marked_where_it_is_near() -> None:
    assert line(-1.0, 1.0, 3.0, 2.0).equal is not None
    assert line(90.0, 91.0, 92.0, 95.0).equal is None
    assert line(-1.0, 1.0, 3.0, 2.0, estimate_of=["relu"]).equal is None
    assert line(0.5, 1.5, 3.0, 1.0, estimate_kind="ratio").equal is None  # it is what is asked


def test_an_equivalence_asks_on_both_sides() -> None:
    found = line(-0.5, 0.2, 0.8, 1.0, claim_asks="within")
    assert found.asked[0] < found.low < found.high < found.asked[1]


@pytest.mark.parametrize(("bound", "end"), [("exact", ""), (None, ""), ("at_least", "right"), ("between", "both")])
def test_a_bound_leaves_an_end_open(bound: str | None, end: str) -> None:
    assert line(1.0, 2.0, 3.0, 2.5, bound=bound).open_end == end


@pytest.mark.parametrize("name", ["low", "high", "estimate", "threshold"])
def test_without_a_number_there_is_no_line(name: str) -> None:
    row = {"low": 1.0, "estimate": 2.0, "high": 3.0, "threshold": 2.0, "bound": None, **FORM, "estimate_kind": "ratio"}
    assert interval_line({**row, name: None}) is None
    assert interval_line({**row, name: math.inf}) is None


def test_equal_numbers_are_no_trouble() -> None:
    found = line(0.0, 0.0, 0.0, 0.0)
    assert found.low == found.high == found.asked[0]
