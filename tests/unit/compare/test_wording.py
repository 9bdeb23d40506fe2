"""Numbers and findings in plain words."""

import pytest

from actsweep.compare import Interval
from actsweep.compare.wording import finding, number, percent, sentence


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (2.345, "ratio", "2.35"),
        (0.9921, "ratio", "0.992"),
        (0.01, "points", "1 percentage point"),
        (0.0234, "points", "2.3 percentage points"),
        (-0.0001, "points", "0 percentage points"),
        (0.25, "share", "25 %"),
        (-0.15, "slope", "-0.15 decades"),
    ],
)
def test_a_number_has_the_unit_of_its_kind(value: float, kind: str, text: str) -> None:
    assert number(value, kind) == text


def test_a_level_keeps_what_sets_it_apart() -> None:
    assert [percent(level) for level in (0.95, 0.995, 1 - 0.05 / 60)] == ["95 %", "99.5 %", "99.92 %"]


@pytest.mark.parametrize(
    ("bound", "value"),
    [("exact", "2.3"), ("at_least", "at least 2.3"), ("at_most", "at most 2.3"), ("between", "roughly 2.3")],
)
def test_a_finding_says_what_censoring_leaves_of_it(bound: str, value: str) -> None:
    said = finding("r_steps_lo", ("relu", "sigmoid"), Interval(2.3, 1.9, 2.8), 0.99, bound)
    assert said == f"sigmoid needed {value} times the steps of relu to the low target (99 % interval 1.9 to 2.8)"


def test_a_sentence_has_a_capital_and_a_stop_and_leaves_names_alone() -> None:
    assert sentence("the mean of ReLU") == "The mean of ReLU."
