from typing import Any

import pytest

from actsweep.errors import RequestError
from simulate import (
    analyze,
    options,
    study,
)


class TestOptions:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"classes": 1}, "--classes must be 2 or more"),
            ({"target_hi": 1.2}, "--target-hi must be a fraction from 0 to 1"),
            ({"target_lo": -0.1}, "--target-lo must be a fraction from 0 to 1"),
            ({"target_hi": 0.5, "target_lo": 0.6}, "--target-lo must be at most --target-hi"),
            ({"level": 1.0}, "--level must lie between 0 and 1"),
            ({"horizon": 0.0}, "--horizon must be an epoch above 0"),
            ({"looks": 0}, "looks must be 1 or more"),
        ],
    )
    def test_values_out_of_range_are_refused_by_name(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(RequestError, match=message):
            options(**changes)

    @pytest.mark.parametrize(
        "changes",
        [
            {"classes": 2},
            {"target_hi": 1.0, "target_lo": 0.0},
            {"target_hi": 0.5, "target_lo": 0.5},
            {"target_lo": 0.6},
            {"horizon": 0.5},
            {"looks": 1},
            {"level": 0.001},
        ],
    )
    def test_the_ends_of_their_ranges_are_accepted(self, changes: dict[str, Any]) -> None:
        assert {name: getattr(options(**changes), name) for name in changes} == changes

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target_hi": -0.1}, "--target-hi must be a fraction from 0 to 1, not -0.1"),
            ({"target_lo": 1.1}, "--target-lo must be a fraction from 0 to 1, not 1.1"),
            ({"level": 0.0}, "--level must lie between 0 and 1, both excluded, not 0"),
            ({"horizon": float("nan")}, "--horizon must be an epoch above 0, not nan"),
        ],
    )
    def test_what_lies_just_outside_is_refused_with_its_value(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(RequestError, match=f"^{message}$"):
            options(**changes)

    def test_fixed_targets_and_a_shorter_horizon_are_used(self) -> None:
        results = analyze(study(), target_hi=0.5, target_lo=0.4, horizon=18)
        assert results["study"]["horizon"] == 18
        assert (results["targets"][0]["hi"], results["targets"][0]["lo"]) == (0.5, 0.4)
        assert {row["test_acc"] for row in results["trials"]} == {None}
        assert results["study"]["gap_end_against"] == "validation"
