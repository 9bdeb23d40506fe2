"""Numbers and findings in plain words."""

import pytest

from actsweep.compare import Interval
from actsweep.compare.wording import finding, number, percent, sentence


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (2.345, "ratio", "2.35"),
        (0.9921, "ratio", "0.992"),
        (1234.5, "ratio", "1234"),
        (1000.0, "ratio", "1000"),
        (999.4, "ratio", "999"),
        (2.0, "slope", "2 decades"),
        (1.0, "slope", "1 decade"),
        (0.1234, "share", "12.3 %"),
        (0.1, "points", "10 percentage points"),
        (0.01, "points", "1 percentage point"),
        (0.0234, "points", "2.3 percentage points"),
        (-0.0001, "points", "0 percentage points"),
        (0.25, "share", "25 %"),
        (-0.15, "slope", "-0.15 decades"),
    ],
)
def test_a_number_has_the_unit_of_its_kind(value: float, kind: str, text: str) -> None:
    assert number(value, kind) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"), [(2.34567, "ratio", "2.346"), (0.12346, "slope", "0.1235"), (0.012345, "points", "1.23")]
)
def test_it_may_have_more_digits(value: float, kind: str, text: str) -> None:
    assert number(value, kind, unit=False, digits=1) == text


def test_a_level_keeps_what_sets_it_apart() -> None:
    assert [percent(level) for level in (0.95, 0.995, 1 - 0.05 / 60)] == ["95 %", "99.5 %", "99.92 %"]


@pytest.mark.parametrize(
    ("bound", "value"),
    [("exact", "2.3"), ("at_least", "at least 2.3"), ("at_most", "at most 2.3"), ("between", "roughly 2.3")],
)
def test_a_finding_says_what_censoring_leaves_of_it(bound: str, value: str) -> None:
    found = finding("r_steps_lo", ("relu", "sigmoid"), Interval(2.3, 1.9, 2.8), 0.99, 1.5, bound)
    said = f"sigmoid needed {value} times the steps of relu to the low target (99 % interval 1.9 to 2.8)"
    assert (found.clause, found.asked) == (said, "1.5")


@pytest.mark.parametrize(
    ("interval", "said", "against"),
    [
        (Interval(0.03, 0.02, 0.04), "3 percentage points above that of sigmoid (95 % interval 2 to 4)", False),
        (
            Interval(0.01, -0.02, 0.04),
            "1 percentage point above that of sigmoid (95 % interval 2 below to 4 above)",
            False,
        ),
        (Interval(-0.03, -0.04, -0.02), "3 percentage points below that of sigmoid (95 % interval 2 to 4)", True),
        (Interval(0.02, 0.0, 0.04), "2 percentage points above that of sigmoid (95 % interval 0 to 4)", False),
        (Interval(-0.02, -0.04, 0.0), "2 percentage points below that of sigmoid (95 % interval 0 to 4)", True),
        (
            Interval(-0.01, -0.03, 0.01),
            "1 percentage point below that of sigmoid (95 % interval 1 above to 3 below)",
            True,
        ),
    ],
)
def test_a_difference_is_said_without_a_sign(interval: Interval, said: str, against: bool) -> None:
    found = finding("d_test_acc", ("relu", "sigmoid"), interval, 0.95, 0.015, None)
    assert found.clause == f"the test accuracy of relu was {said}"
    assert (found.against, found.asked_in_full) == (against, "1.5 percentage points above")


def test_ends_get_as_many_digits_as_tell_them_from_each_other_and_from_what_is_asked() -> None:
    found = finding("r_cost", ("relu", "sigmoid"), Interval(2.003, 2.0012, 2.0051), 0.95, 2.0, "exact")
    assert found.clause.endswith("2.003 times as long as one of relu (95 % interval 2.001 to 2.005)")


def test_a_sentence_has_a_capital_and_a_stop_and_leaves_names_alone() -> None:
    assert sentence("the mean of ReLU") == "The mean of ReLU."
