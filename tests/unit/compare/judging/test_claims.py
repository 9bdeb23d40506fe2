"""The conditions that a claim puts on its intervals: on which side they lie, and how near."""

import math
from typing import Any

import pytest

from actsweep.compare import Interval
from actsweep.compare.judging.claims import CLAIMS, Case, Condition, Demand


def condition(low: float, estimate: float, high: float, threshold: float = 2.0, **more: Any) -> Condition:
    return Condition("r_cost", Interval(estimate, low, high), threshold, {}, "", **more)


def sides(one: Condition) -> tuple[bool, bool, bool]:
    return one.holds, one.fails, one.leans_against


@pytest.mark.parametrize(
    ("interval", "sides_above", "sides_below"),
    [
        ((2.1, 2.5, 3.0), (True, False, False), (False, True, True)),
        ((2.0, 2.5, 3.0), (False, False, False), (False, False, True)),
        ((1.5, 2.0, 2.5), (False, False, False), (False, False, False)),
        ((1.0, 1.5, 2.0), (False, False, True), (False, False, False)),
        ((1.0, 1.5, 1.9), (False, True, True), (True, False, False)),
    ],
)
def test_an_interval_that_touches_the_threshold_lies_on_neither_side(
    interval: tuple[float, float, float], sides_above: tuple[bool, ...], sides_below: tuple[bool, ...]
) -> None:
    assert sides(condition(*interval)) == sides_above
    assert sides(condition(*interval, below=True)) == sides_below


@pytest.mark.parametrize(
    ("interval", "equivalent", "expected"),
    [
        ((-0.005, 0.0, 0.005), True, (True, False, False)),
        ((-0.005, 0.005, 0.015), False, (False, False, False)),
        ((0.005, 0.01, 0.015), False, (False, False, False)),
        ((0.01, 0.015, 0.02), False, (False, False, True)),
        ((0.011, 0.015, 0.02), False, (False, True, True)),
        ((-0.02, -0.015, -0.01), False, (False, False, True)),
        ((-0.02, -0.015, -0.011), None, (False, True, True)),
    ],
)
def test_with_two_sides_it_counts_against_the_claim_only_wholly_beyond_the_margin(
    interval: tuple[float, float, float], equivalent: bool | None, expected: tuple[bool, ...]
) -> None:
    assert sides(condition(*interval, threshold=0.01, two_sided=True, equivalent=equivalent)) == expected


def test_it_asks_for_values_over_below_or_within_its_threshold() -> None:
    directions = [condition(1.0, 1.5, 2.0, **more).asks for more in ({}, {"below": True}, {"two_sided": True})]
    assert directions == ["over", "below", "within"]


def test_nearness_is_the_distance_from_the_threshold_in_half_widths() -> None:
    assert condition(2.0, 3.0, 4.0).nearness == 1.0
    assert condition(3.0, 5.0, 7.0).nearness == 1.5
    assert condition(0.5, 1.5, 2.5).nearness == 0.5
    assert condition(3.0, 3.0, 3.0).nearness == math.inf
    assert condition(2.0, 2.0, 2.0).nearness == 0.0


def test_a_bar_counts_on_the_side_that_the_estimate_points_to() -> None:
    bars = {"bars_support": "A censored", "bars_refutal": "B censored"}
    assert condition(1.5, 2.5, 3.0, **bars).bar == "A censored"
    assert condition(1.0, 1.5, 3.0, **bars).bar == "B censored"


def test_a_demand_is_unmet_with_its_clause() -> None:
    assert Case(()).unmet == Case((), Demand(True, "so it is")).unmet == ""
    assert Case((), Demand(False, "so it is not")).unmet == "so it is not"


def test_claims_have_names_of_their_own_and_ask_only_for_earlier_ones() -> None:
    names = [claim.name for claim in CLAIMS]
    assert len(set(names)) == len(names)
    for place, claim in enumerate(CLAIMS):
        assert claim.needs is None or claim.needs in names[:place]
