"""How often intervals hold the truth and verdicts are wrong, over simulated studies whose truth is known.

`python -m bench.coverage` prints the tables of docs/intervals.md.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from actsweep.compare import difference_of_means
from actsweep.compare.comparisons import ENDPOINTS

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # simulated studies are the tests' own

from families import (
    FAMILIES,
    NULL_OF_MANY,
    RARE_FAILURES,
    THRESHOLDS,
    Family,
    Truth,
    covered,
    draw_study,
    population_of,
)
from simulate import CHANCE, Row, analyze, pick

STUDIES = 1000
RESAMPLES = 1999
AT_ONCE = 125  # studies whose bootstrap samples are in memory together
METHODS = ("delta method", "percentile bootstrap", "BCa bootstrap")
COMPARED = {
    "r_seconds_hi": ("seconds_to_target_hi", lambda b, a, axis: b.mean(axis) / a.mean(axis)),
    "d_test_acc": ("test_acc", lambda b, a, axis: a.mean(axis) - b.mean(axis)),
}
FAILING = {"diverging 20 %": FAMILIES["diverging 20 %"], "rare failures": RARE_FAILURES}
FAILURE_SHARE = 0.1
EXPECTED_FAILURES = (1, 2, 5, 10, 20)
FAILURE_STUDIES = 4000
AT_THRESHOLD = {"C1b", "C2a", "C2b", "C4a", "C4b", "C5"}  # where no verdict is right
TRUE_AT_THRESHOLDS = {"C3b"}  # the one claim that holds there
Figures = dict[str, float | str]


@dataclass
class Samples:
    """One endpoint's unit means in the studies' first pairs, with the truths and the intervals that we gave."""

    a: list[NDArray[np.float64]] = field(default_factory=list)
    b: list[NDArray[np.float64]] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)


def run() -> Figures:
    """Coverage of 95 % intervals by family and endpoint, by method at 10 units, and the shares of wrong verdicts."""
    figures: Figures = {}
    for name, family in {**FAMILIES, "rare failures": RARE_FAILURES}.items():
        figures |= _coverage(name, family)
    return figures | _outside(figures) | _with_failures() | _wrong_verdicts()


def _outside(figures: Figures) -> Figures:
    """Where our intervals hold the truth less or more often than they should."""
    shares = {
        key: float(str(value).split()[0]) for key, value in figures.items() if key.partition(": ")[2] in ENDPOINTS
    }
    return {
        "outside 92 to 99 %": "; ".join(key for key, share in shares.items() if not 92.0 <= share <= 99.0) or "none"
    }


def tables(figures: Figures) -> str:
    """The figures as Markdown: coverage of ratios and of the rest by family, methods side by side, verdicts."""
    by_row: dict[str, dict[str, str]] = defaultdict(dict)
    rest = {}
    for key, value in figures.items():
        row, found, column = key.partition(": ")
        if found:
            by_row[row][column] = str(value)
        else:
            rest[key] = str(value)
    methods = [f"{method}, {endpoint}" for endpoint in COMPARED for method in METHODS]
    sections = [
        _table("family", [name for name in ENDPOINTS if name.startswith("r_")], by_row),
        _table("family", [name for name in ENDPOINTS if not name.startswith("r_")], by_row),
        _table("family (10 units)", methods, {k: v for k, v in by_row.items() if set(methods) <= set(v)}),
        _table("what", ["figure"], {key: {"figure": value} for key, value in rest.items()}),
    ]
    return "\n\n".join(sections)


def _table(corner: str, columns: list[str], rows: dict[str, dict[str, str]]) -> str:
    lines = [[corner, *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(cells.get(column, "") for column in columns)] for name, cells in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _studies(name: str, family: Family, level: float | None) -> Iterator[Row]:
    """The results of the family's studies; the same ones at each call."""
    rng = np.random.default_rng([*name.encode()])
    for _ in range(STUDIES):
        yield analyze(draw_study(family, rng), level=level)


def _coverage(name: str, family: Family) -> Figures:
    population = population_of(family, np.random.default_rng([1, *name.encode()]))
    truth = Truth(population)
    sound = Truth({place: runs.healthy() for place, runs in population.items()}) if name in FAILING else None
    hits: dict[str, list[list[bool]]] = defaultdict(list)
    samples = {endpoint: Samples() for endpoint in COMPARED}
    equivalent = []
    for results in _studies(name, family, 0.95):
        for endpoint, held in covered(results, truth).items():
            hits[f"{name}: {endpoint}"].append(held)
        if sound is not None:
            for endpoint, held in covered(results, sound, healthy=True).items():
                hits[f"{name}, healthy: {endpoint}"].append(held)
        elif family.units == 10:
            _sample(samples, results, truth)
        equivalent += [bool(row["equivalent"]) for row in results["comparisons"] if row["endpoint"] == "d_test_acc"]
    figures: Figures = {key: _share(held) for key, held in hits.items()}
    for endpoint, sample in samples.items():
        if sample.truth:
            figures |= {f"{name}: {method}, {endpoint}": share for method, share in _by_method(endpoint, sample)}
    if name == "equivalent":
        figures["called equivalent at 95 %, 0.2 points apart"] = _count(equivalent)
    return figures


def _sample(samples: dict[str, Samples], results: Row, truth: Truth) -> None:
    """Add a study's first pair in its first stratum."""
    for endpoint, sample in samples.items():
        row = next(row for row in results["comparisons"] if row["endpoint"] == endpoint)
        true = truth.of(row, pick(results["targets"], depth=row["depth"]))
        measure = COMPARED[endpoint][0]
        for arm, means in (("a", sample.a), ("b", sample.b)):
            blocks: dict[int, list[float]] = defaultdict(list)
            for trial in results["trials"]:
                if (trial["activation"], trial["depth"]) == (row[arm], row["depth"]):
                    blocks[trial["seed"] if trial["block"] is None else trial["block"]].append(trial[measure])
            means.append(np.array([np.mean(block) for block in blocks.values()]))
        sample.truth.append(true)
        sample.held.append(row["low"] <= true <= row["high"])


def _by_method(endpoint: str, sample: Samples) -> Iterator[tuple[str, str]]:
    """Coverage of our interval, and of two bootstraps of the same unit means."""
    statistic: Any = COMPARED[endpoint][1]
    held: dict[str, list[NDArray[np.bool_]]] = defaultdict(list)
    for first in range(0, len(sample.truth), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        data = np.stack(sample.b[some]), np.stack(sample.a[some])
        true = np.array(sample.truth[some])
        options = {"vectorized": True, "axis": -1, "confidence_level": 0.95}
        plain = stats.bootstrap(
            data, statistic, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(first), **options
        )
        corrected = stats.bootstrap(data, statistic, n_resamples=0, bootstrap_result=plain, method="BCa", **options)
        for method, result in zip(METHODS[1:], (plain, corrected), strict=True):
            interval = result.confidence_interval
            held[method].append((interval.low <= true) & (true <= interval.high))
    yield METHODS[0], _share([[hit] for hit in sample.held])
    for method in METHODS[1:]:
        yield method, _share([[bool(hit)] for hit in np.concatenate(held[method])])


def _with_failures() -> Figures:
    """Coverage of a difference of means where a tenth of one arm's trials fail, by how many failures are expected."""
    figures: Figures = {}
    for expected in EXPECTED_FAILURES:
        rng, n = np.random.default_rng(expected), round(expected / FAILURE_SHARE)
        held = []
        for _ in range(FAILURE_STUDIES):
            a, b = 0.9 + 0.006 * rng.standard_normal((2, n))
            interval = difference_of_means(a, np.where(rng.random(n) < FAILURE_SHARE, CHANCE, b), 0.95)
            held.append([interval.low <= FAILURE_SHARE * (0.9 - CHANCE) <= interval.high])
        figures[f"coverage of a mean, {expected} of {n} trials expected to fail"] = _share(held)
    return figures


def _wrong_verdicts() -> Figures:
    """Numbers of studies with any wrong verdict, and of those called equivalent, at the level that studies use."""
    figures: Figures = {}
    for name, family in (("null", FAMILIES["null"]), ("null, three arms at two depths", NULL_OF_MANY)):
        figures[f"any claim supported, {name}"] = _count(
            bool(_called(results, "supported")) for results in _studies(name, family, None)
        )
    supported, refuted, equivalent = [], [], []
    for results in _studies("thresholds", THRESHOLDS, None):
        supported.append(bool(_called(results, "supported") - TRUE_AT_THRESHOLDS))
        refuted.append(bool(_called(results, "refuted") & AT_THRESHOLD))
        equivalent.append(bool(pick(results["comparisons"], endpoint="d_test_acc")["equivalent"]))
    figures["any claim wrongly supported, effects at thresholds"] = _count(supported)
    figures["any claim wrongly refuted, effects at thresholds"] = _count(refuted)
    figures["called equivalent, 1 point apart"] = _count(equivalent)
    return figures


def _called(results: Row, verdict: str) -> set[str]:
    return {row["claim"] for row in results["verdicts"] if row["verdict"] == verdict}


def _share(held: list[list[bool]]) -> str:
    """Share of what holds in per cent, with its Monte Carlo error over the studies that have any."""
    known = np.array([np.mean(of_study) for of_study in held if of_study])
    if len(known) < 2:
        return "no intervals"
    error = known.std(ddof=1) / np.sqrt(len(known))
    counted = "" if len(known) == len(held) else f" (of {len(known)})"
    return f"{100 * known.mean():.1f} ± {100 * error:.1f}{counted}"


def _count(found: Iterable[bool]) -> str:
    flags = list(found)
    return f"{sum(flags)} of {len(flags)}"


if __name__ == "__main__":
    print(tables(run()))
