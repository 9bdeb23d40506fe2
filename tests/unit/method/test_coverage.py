"""Intervals and verdicts over simulated studies whose truth is known: the quick version of `bench/coverage.py`."""

from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from actsweep.compare.comparisons import ENDPOINTS
from families import (
    FAMILIES,
    RARE_FAILURES,
    THRESHOLDS,
    Population,
    Truth,
    as_trials,
    covered,
    draw,
    draw_study,
    population_of,
)
from simulate import Row, analyze

STUDIES = 40  # of a family: Monte Carlo error 3.4 percentage points at 95 %


@cache
def population(name: str) -> Population:
    return population_of(FAMILIES[name], np.random.default_rng(0))


@cache
def studies(name: str) -> list[Row]:
    """The results of a family's studies with 95 % intervals."""
    rng = np.random.default_rng([*name.encode()])
    return [analyze(draw_study(FAMILIES[name], rng), level=0.95) for _ in range(STUDIES)]


@cache
def held(name: str) -> dict[str, list[bool]]:
    """Whether the intervals hold the truth, by endpoint."""
    truth = Truth(population(name))
    found: dict[str, list[bool]] = defaultdict(list)
    for results in studies(name):
        for endpoint, hits in covered(results, truth).items():
            found[endpoint] += hits
    return found


class TestTruth:
    """The truth is worked out apart from the code under test; both must say the same of the same trials."""

    @pytest.mark.parametrize("name", FAMILIES)
    def test_the_estimates_of_all_trials_are_the_truth_of_these_trials(self, name: str) -> None:
        drawn = draw(FAMILIES[name], 120, np.random.default_rng(0))
        results, truth = analyze(as_trials(FAMILIES[name], drawn)), Truth(drawn)
        for row in results["comparisons"]:
            target = next(target for target in results["targets"] if target["depth"] == row["depth"])
            if row["estimate"] is not None:
                # A gap at a matched loss is linear between the losses at which the truth was worked out.
                close = {"abs": 5e-4} if row["endpoint"] == "d_gap_match" else {"rel": 1e-9, "abs": 1e-12}
                assert row["estimate"] == pytest.approx(truth.of(row, target), **close), row["endpoint"]

    def test_families_are_what_they_are_called(self) -> None:
        def of_sigmoid(name: str, share: str) -> float:
            cells = [cell for results in studies(name) for cell in results["cells"] if cell["activation"] == "sigmoid"]
            return float(np.mean([cell[share] for cell in cells]))

        assert of_sigmoid("heavy censoring", "reached_hi") == pytest.approx(0.55, abs=0.05)
        assert of_sigmoid("diverging 20 %", "failure_share") == pytest.approx(0.2, abs=0.03)
        accuracy = population("blocks")[0, "relu"].test_acc.reshape(-1, FAMILIES["blocks"].runs)
        between = accuracy.mean(axis=1).var() - accuracy.var(axis=1, ddof=1).mean() / FAMILIES["blocks"].runs
        assert between / accuracy.var() == pytest.approx(FAMILIES["blocks"].between, abs=0.03)


class TestCoverage:
    @pytest.mark.parametrize("name", FAMILIES)
    def test_a_95_percent_interval_holds_the_truth_about_as_often(self, name: str) -> None:
        shares = {endpoint: float(np.mean(hits)) for endpoint, hits in held(name).items()}
        assert set(shares) == set(ENDPOINTS)
        assert min(shares.values()) >= 0.845, shares  # 3 Monte Carlo errors below 95 %
        assert 0.92 <= np.mean(list(shares.values())) <= 0.99

    @pytest.mark.parametrize("endpoint", ENDPOINTS)
    def test_so_does_an_endpoint_over_all_families(self, endpoint: str) -> None:
        hits = [hit for name in FAMILIES for hit in held(name)[endpoint]]
        assert 0.925 <= np.mean(hits) <= 0.99

    def test_a_mean_over_rare_failures_is_the_exception_and_one_over_healthy_trials_is_not(self) -> None:
        rng = np.random.default_rng(3)
        drawn = population_of(RARE_FAILURES, rng)
        every, sound = Truth(drawn), Truth({place: runs.healthy() for place, runs in drawn.items()})
        rare = [analyze(draw_study(RARE_FAILURES, rng), level=0.95) for _ in range(STUDIES)]
        assert np.mean([covered(results, every)["d_test_acc"] for results in rare]) < 0.65
        assert np.mean([covered(results, sound, healthy=True)["d_test_acc"] for results in rare]) >= 0.845


class TestVerdicts:
    """At the level that a study uses, at most one in twenty says anything wrong."""

    def test_equal_arms_support_nothing(self) -> None:
        rng = np.random.default_rng(4)
        wrong = [
            any(row["verdict"] == "supported" for row in analyze(draw_study(FAMILIES["null"], rng))["verdicts"])
            for _ in range(2 * STUDIES)
        ]
        assert np.mean(wrong) <= 0.05

    def test_effects_that_lie_at_the_thresholds_are_rarely_called_either_way(self) -> None:
        rng = np.random.default_rng(5)
        called = [
            any(
                row["claim"] in ("C1b", "C2a", "C2b", "C4a", "C4b", "C5") and row["verdict"] != "undecided"
                for row in analyze(draw_study(THRESHOLDS, rng))["verdicts"]
            )
            for _ in range(2 * STUDIES)
        ]
        assert np.mean(called) <= 0.05
