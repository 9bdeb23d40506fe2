"""Cells, and differences, ratios and ranks with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from reference.trials import UNITS, Numbers, Row, Trial, means, without_lone_chance

NOTHING = {"estimate": None, "low": None, "high": None, "p_value": None}


def describe(own: list[Trial], tuned: list[Trial]) -> Row:
    own = without_lone_chance(own)
    healthy = [t for t in own if t.healthy]
    n, test = len(own), [t.m["test_acc"] for t in own if t.m["test_acc"] is not None]
    row: Row = {"n": n, "units": len({t.unit for t in own}), "healthy": len(healthy)}
    row |= _share("failure_share", n - len(healthy), n)
    row["lrs"] = sorted({t.lr for t in own if t.lr is not None})
    for target in ("hi", "lo"):
        reached = [t.m[f"reached_{target}"] for t in own if t.m[f"reached_{target}"] is not None]
        row |= _share(f"reached_{target}", sum(reached), len(reached))
        for unit in UNITS:
            name = f"{unit}_to_target_{target}"
            row |= _mean_with_ends(f"rmst_{unit}_{target}", means(own, name))
            spent = [t.m[name] for t in own]
            is_known = bool(spent) and None not in spent and any(reached)
            row[f"ert_{unit}_{target}"] = sum(spent) / sum(reached) if is_known else None
    for name in ("test_acc", "gap_end", "gap_match", "nauc"):
        row |= _mean_with_ends(f"{name}_mean", means(own, name))
    row["test_acc_healthy_mean"] = mean_of(means(healthy, "test_acc"))
    row["test_acc_sd"] = float(np.std(test, ddof=1)) if len(test) > 1 else None
    best = sorted(t.m["best_val_acc"] for t in tuned)
    row["best_of_k"] = [
        sum(math.comb(i, k - 1) * x for i, x in enumerate(best)) / math.comb(len(best), k)
        for k in range(1, len(best) + 1)
    ]
    return row


def mean_of(x: np.ndarray) -> float | None:
    return float(x.mean()) if len(x) else None


def _mean_with_ends(name: str, x: np.ndarray) -> Row:
    """A mean over units with Student's interval at 95 %."""
    if len(x) < 2:
        return {name: mean_of(x), f"{name}_low": None, f"{name}_high": None}
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))
    return {name: float(x.mean()), f"{name}_low": float(x.mean() - half), f"{name}_high": float(x.mean() + half)}


def _share(name: str, k: int, n: int) -> Row:
    if n == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    interval = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    return {name: k / n, f"{name}_low": interval.low, f"{name}_high": interval.high}


def variance(x: np.ndarray) -> float:
    """Of the mean; no spread at all where the values differ by rounding alone."""
    return float(x.var(ddof=1)) / len(x) if np.ptp(x) > 1e-12 * np.abs(x).max() else 0.0


def welch(estimate: float, parts: Sequence[float], sizes: Sequence[int], level: float) -> Row:
    total = sum(parts)
    if total == 0:
        is_none = abs(estimate) < 1e-12
        return {"estimate": estimate, "low": estimate, "high": estimate, "p_value": float(is_none)}
    df = total**2 / sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
    half = stats.t.ppf(0.5 + level / 2, df) * math.sqrt(total)
    p_value = 2 * stats.t.sf(abs(estimate) / math.sqrt(total), df)
    return {"estimate": estimate, "low": estimate - half, "high": estimate + half, "p_value": float(p_value)}


def difference(a: np.ndarray, b: np.ndarray, level: float) -> Row:
    if min(len(a), len(b)) == 0:
        return NOTHING
    estimate = float(a.mean() - b.mean())
    if min(len(a), len(b)) == 1:
        return NOTHING | {"estimate": estimate}
    return welch(estimate, (variance(a), variance(b)), (len(a), len(b)), level)


def ratio(b: np.ndarray, a: np.ndarray, level: float) -> Row:
    if min(len(a), len(b)) == 0 or min(a.mean(), b.mean()) <= 0:
        return NOTHING
    if min(len(a), len(b)) == 1:
        return NOTHING | {"estimate": float(b.mean() / a.mean())}
    parts = variance(a) / a.mean() ** 2, variance(b) / b.mean() ** 2
    logs = welch(math.log(b.mean() / a.mean()), parts, (len(a), len(b)), level)
    return {name: logs[name] if name == "p_value" else math.exp(logs[name]) for name in logs}


def better(a: list[Trial], b: list[Trial], level: float) -> Row:
    """Brunner and Munzel's on the logit scale, over the units' mean placements."""
    a, b = ([t for t in own if t.m["test_acc"] is not None] for own in (a, b))
    if not a or not b:
        return NOTHING
    placed: list[np.ndarray] = []
    for own, others in ((a, b), (b, a)):
        units: dict[Any, Numbers] = {}
        for t in own:
            wins = [(t.m["test_acc"] > o.m["test_acc"]) + (t.m["test_acc"] == o.m["test_acc"]) / 2 for o in others]
            units.setdefault(t.unit, []).append(sum(wins) / len(wins))
        placed.append(np.array([sum(values) / len(values) for values in units.values()]))
    wins = [(t.m["test_acc"] > o.m["test_acc"]) + (t.m["test_acc"] == o.m["test_acc"]) / 2 for t in a for o in b]
    estimate = sum(wins) / len(wins)
    if min(map(len, placed)) == 1 or sum(map(variance, placed)) == 0:
        return NOTHING | {"estimate": estimate}
    parts, sizes = [variance(x) for x in placed], [len(x) for x in placed]
    row = welch(estimate - 0.5, parts, sizes, level)
    if estimate in (0, 1):
        return NOTHING | {"estimate": estimate, "p_value": row["p_value"]}
    half = (row["high"] - row["low"]) / 2 / (estimate * (1 - estimate))
    ends = (float(special.expit(special.logit(estimate) + sign * half)) for sign in (-1, 1))
    return row | {"estimate": estimate} | dict(zip(("low", "high"), ends, strict=True))
