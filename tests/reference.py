"""The analysis once more, from the definitions of docs/method.md: plain loops over rows, trial by trial, pair by pair.

Nothing is shared with the code under test, and nothing here is fast. A row is a mapping from column to value, None
where nothing is recorded; a loss may be nan or inf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special, stats

Row = dict[str, Any]
Numbers = list[float]
UNITS = {"epochs": "epoch", "steps": "step", "seconds": "seconds"}
DIFFERENCES = {"d_test_acc": "test_acc", "d_gap_end": "gap_end", "d_gap_match": "gap_match"}
DIFFERENCES |= {"d_grad_slope": "grad_slope", "d_nauc": "nauc"}
NOTHING = {"estimate": None, "low": None, "high": None, "p_value": None}


@dataclass(frozen=True)
class Options:
    """What `actsweep analyze` is told."""

    reference: str = "relu"
    classes: int = 10
    horizon: float | None = None
    target_hi: float | None = None
    target_lo: float | None = None
    level: float | None = None
    claims: int = 10


def analyze(rows: Sequence[Row], options: Options) -> dict[str, list[Row]]:
    """Trials, targets, cells, comparisons and verdicts, with the keys of results.json that the method defines."""
    trials = [Trial(of_trial, options) for of_trial in _by_trial(rows)]
    if all(t.phase is None for t in trials):
        several = any(len({o.lr for o in trials if o.place == t.place and o.lr is not None}) > 1 for t in trials)
        for t in trials:
            t.phase = "tune" if several else "replicate"
    trials = [t for t in trials if not t.failed]
    replicates = [t for t in trials if t.phase == "replicate"]
    horizon = options.horizon or max(t.last["epoch"] for t in replicates if not t.diverged)
    to_test = all(t.diverged or t.last.get("test_acc") is not None for t in replicates)
    for t in trials:
        t.measure(horizon, to_test, any(o.rows[0]["epoch"] == 0 for o in trials))
    by_block = len({t.block for t in replicates}) > 1
    for t in trials:
        t.unit = t.block if by_block else t.seed
    depths = sorted({t.depth for t in trials}, key=lambda depth: -1 if depth is None else depth)
    arms = [options.reference, *sorted({t.arm for t in trials} - {options.reference})]
    level = options.level or 1 - 0.05 / (options.claims * len(depths) * (len(arms) - 1))
    results: dict[str, list[Row]] = {"trials": [], "targets": [], "cells": [], "comparisons": [], "verdicts": []}
    for depth in depths:
        at_depth = [t for t in trials if t.depth == depth]
        target = find_target(
            [[t for t in at_depth if t.arm == arm and t.phase == "replicate"] for arm in arms], options
        )
        results["targets"].append({"depth": depth, **target})
        for t in at_depth:
            t.set_own(horizon)
        fill_from_the_cell(at_depth)
        for t in at_depth:
            t.time_to(target)
            results["trials"].append(t.m | {"trial_id": t.name, "phase": t.phase})
        for arm in arms:
            own = [t for t in at_depth if t.arm == arm and t.phase == "replicate"]
            tuned = [t for t in at_depth if t.arm == arm and t.phase == "tune"]
            if own or tuned:
                results["cells"].append({"activation": arm, "depth": depth, **describe(own, tuned)})
        for other in arms[1:]:
            for phase, a, b in matchups(at_depth, options.reference, other):
                where = {"a": options.reference, "b": other, "depth": depth, "phase": phase}
                compared = compare(a, b, level)
                results["comparisons"] += [row | where for row in compared.values()]
                results["verdicts"] += [row | where for row in judge(a, b, compared, level)]
    return results


def matchups(trials: list[Trial], reference: str, other: str) -> list[tuple[str, list[Trial], list[Trial]]]:
    """Replicates against replicates, and cross trials of either arm at the other's replicates' rate of that block."""

    def of(arm: str, phase: str) -> list[Trial]:
        return [t for t in trials if t.arm == arm and t.phase == phase]

    a, b = of(reference, "replicate"), of(other, "replicate")
    found = [("replicate", a, b)]
    if any(t.phase == "cross" for t in trials):
        found.append(("at_a_lr", a, [t for t in of(other, "cross") if (t.block, t.lr) in {(o.block, o.lr) for o in a}]))
        found.append(
            ("at_b_lr", [t for t in of(reference, "cross") if (t.block, t.lr) in {(o.block, o.lr) for o in b}], b)
        )
    return found


def _by_trial(rows: Sequence[Row]) -> list[list[Row]]:
    names = list(dict.fromkeys(row["trial_id"] for row in rows))
    return [sorted((r for r in rows if r["trial_id"] == name), key=lambda r: r["epoch"]) for name in names]


class Trial:
    """One trial: its rows up to the horizon, and in `m` its measures."""

    def __init__(self, rows: list[Row], options: Options) -> None:
        first = rows[0]
        self.name, self.arm, self.seed = first["trial_id"], first["activation"], first["seed"]
        self.block, self.depth, self.lr = first.get("block"), first.get("depth"), first.get("lr")
        self.phase, self.unit = first.get("phase"), None
        self.place = self.arm, self.depth, self.block
        self.failed = rows[-1].get("status") == "failed"
        # The cost of a step is measured beside the trial: no horizon cuts it off.
        self.step_ms = next((r["step_ms"] for r in rows[::-1] if r.get("step_ms") is not None), None)
        self.rows = [r for r in rows if options.horizon is None or r["epoch"] <= options.horizon]
        if len(self.rows) < len(rows) and not self.failed:
            self.rows[-1] = self.rows[-1] | dict.fromkeys(("test_acc", "best_test_acc", "status"))
        self.last = self.rows[-1]
        self.chance = 1 / options.classes
        self.bad = self._first_bad(options.classes)
        self.diverged = self.bad is not None
        self.m: Row = {}

    def _first_bad(self, classes: int) -> int | None:
        for i, row in enumerate(self.rows):
            train, val = row.get("train_loss"), row.get("val_loss")
            is_bad = any(loss is not None and not math.isfinite(loss) for loss in (train, val))
            if row["epoch"] > 0 and (is_bad or (train is not None and train > 2 * math.log(classes))):
                return i
        return len(self.rows) - 1 if self.last.get("status") == "diverged" else None

    def measure(self, horizon: float, to_test: bool, has_start: bool) -> None:
        rows, last = self.rows, self.last
        m: Row = dict.fromkeys(("best_epoch", "gap_end", "gap_end_val", "gap_best", "drop", "rebound", "saturated"))
        m |= {"diverged": self.diverged, "stuck": False, "loss_min": None}
        m["step_ms"] = self.step_ms
        m["grad_slope"] = rows[0].get("grad_slope") if rows[0]["epoch"] == 0 else None
        if self.diverged:
            m |= dict.fromkeys(("best_val_acc", "confirmed_best", "final_val_acc", "test_acc"), self.chance)
        else:
            accuracy = [r["val_acc"] for r in rows]
            m["best_val_acc"] = max(accuracy)
            best = rows[accuracy.index(m["best_val_acc"])]
            m |= {"best_epoch": best["epoch"], "final_val_acc": accuracy[-1], "test_acc": last.get("test_acc")}
            m["confirmed_best"] = max(map(min, pairwise(accuracy)), default=None)
            m["stuck"] = m["best_val_acc"] <= self.chance + 0.05 * (1 - self.chance)
            m["gap_end"] = _less(last.get("train_acc"), last.get("test_acc") if to_test else last["val_acc"])
            m["gap_end_val"] = _less(last.get("train_acc"), last["val_acc"])
            m["gap_best"] = _less(best.get("train_acc"), best["val_acc"])
            m["drop"] = _less(last.get("best_test_acc"), last.get("test_acc"))
            medians = [sorted(accuracy[i : i + 3])[1] for i in range(len(accuracy) - 2)]
            m["rebound"] = max(medians) - medians[-1] if medians else None
            m["saturated"] = last.get("saturated")
            m["loss_min"] = min((r["train_loss"] for r in rows if r.get("train_loss") is not None), default=None)
        m["nauc"] = self._nauc(horizon) if has_start else None
        self.m = m

    def _nauc(self, horizon: float) -> float | None:
        points = [(r["epoch"], r["val_acc"]) for r in self.rows]
        if self.diverged:
            points = [(e, self.chance if i >= self.bad or v is None else v) for i, (e, v) in enumerate(points)]
            points.append((horizon, self.chance))
        if points[0][0] != 0 or points[-1][0] != horizon:
            return None
        area = sum((v + w) / 2 * (f - e) for (e, v), (f, w) in pairwise(points))
        return float(area / horizon)

    @property
    def healthy(self) -> bool:
        return not self.diverged and not self.m["stuck"]

    def own(self, unit: str, horizon: float) -> float | None:
        """The trial's own value at the horizon."""
        if unit == "epochs":
            return horizon
        known = [r for r in self.rows if r.get(UNITS[unit]) is not None]
        if self.diverged:
            return known[-1][UNITS[unit]] * horizon / known[-1]["epoch"] if known and known[-1]["epoch"] > 0 else None
        return self.last.get(UNITS[unit]) if self.last["epoch"] == horizon else None

    def set_own(self, horizon: float) -> None:
        self.m |= {f"{unit}_at_horizon": self.own(unit, horizon) for unit in UNITS}

    def time_to(self, target: Row) -> None:
        for name in ("hi", "lo"):
            if target[name] is None:
                self.m |= {f"reached_{name}": None, **{f"{unit}_to_target_{name}": None for unit in UNITS}}
                continue
            at = None
            if not self.diverged:
                pairs = pairwise(self.rows)
                at = next((r for r, s in pairs if min(r["val_acc"], s["val_acc"]) >= target[name]), None)
            self.m[f"reached_{name}"] = at is not None
            for unit, column in UNITS.items():
                self.m[f"{unit}_to_target_{name}"] = self.m[f"{unit}_at_horizon"] if at is None else at.get(column)
        self.m["gap_match"] = None if self.diverged else self._gap_at(target["loss_match"])

    def _gap_at(self, loss: float | None) -> float | None:
        before = None
        for r in self.rows:
            if loss is None or r.get("train_loss") is None:
                continue
            gap = _less(r.get("train_acc"), r["val_acc"])
            if r["train_loss"] <= loss:
                if before is None or gap is None or before[1] is None:
                    return gap
                share = (before[0] - loss) / (before[0] - r["train_loss"])
                return float(before[1] + share * (gap - before[1]))
            before = r["train_loss"], gap
        return None


def fill_from_the_cell(trials: list[Trial]) -> None:
    """A diverged trial that has nothing to scale to the horizon gets the median of its cell there."""
    for name in (f"{unit}_at_horizon" for unit in UNITS):
        lost = [t for t in trials if t.diverged and t.m[name] is None]
        own = [[o.m[name] for o in trials if (o.arm, o.phase) == (t.arm, t.phase)] for t in lost]
        for t, values in zip(lost, own, strict=True):
            known = [value for value in values if value is not None]
            t.m[name] = float(np.median(known)) if known else None


def _less(x: float | None, y: float | None) -> float | None:
    return None if x is None or y is None else x - y


def find_target(cells: list[list[Trial]], options: Options) -> Row:
    chance = 1 / options.classes
    cells = [cell for cell in cells if cell]
    median = [float(np.median([t.m["best_val_acc"] for t in cell])) for cell in cells]
    found: Row = {"hi": options.target_hi, "lo": options.target_lo, "loss_match": None}
    if options.target_hi is None:
        tops = []
        for cell, middle in zip(cells, median, strict=True):
            confirmed = [t.m["confirmed_best"] for t in cell if t.healthy and t.m["confirmed_best"] is not None]
            if middle == max(median) and confirmed:
                tops.append(float(np.percentile(confirmed, 10)) - 0.01)
        found["hi"] = max(tops, default=None)
    unstuck = [i for i, middle in enumerate(median) if middle > chance + 0.05 * (1 - chance)]
    if options.target_lo is None and found["hi"] is not None:
        found["lo"] = min([found["hi"], *(0.95 * min(median[i] for i in unstuck) for _ in unstuck[:1])])
    smallest = [[t.m["loss_min"] for t in cells[i] if t.healthy and t.m["loss_min"] is not None] for i in unstuck]
    ends = [sorted(losses)[math.ceil(0.9 * (len(losses) - 1) - 1e-9)] for losses in smallest if losses]
    found["loss_match"] = max(ends, default=None)
    return found


def means(trials: list[Trial], name: str) -> np.ndarray:
    """Unit means of a measure, over the trials that have it."""
    units: dict[Any, Numbers] = {}
    for t in trials:
        if (value := t.m[name]) is not None:
            units.setdefault(t.unit, []).append(float(value))
    return np.array([sum(values) / len(values) for values in units.values()])


def without_lone_chance(trials: list[Trial]) -> list[Trial]:
    """The trials of a cell; where no test accuracy was read in it, diverged trials have none either."""
    sound = [t for t in trials if not t.diverged]
    if sound and all(t.m["test_acc"] is None for t in sound):
        for t in trials:
            t.m["test_acc"] = None
    return trials


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
    row["test_acc_healthy_mean"] = _mean(means(healthy, "test_acc"))
    row["test_acc_sd"] = float(np.std(test, ddof=1)) if len(test) > 1 else None
    best = sorted(t.m["best_val_acc"] for t in tuned)
    row["best_of_k"] = [
        sum(math.comb(i, k - 1) * x for i, x in enumerate(best)) / math.comb(len(best), k)
        for k in range(1, len(best) + 1)
    ]
    return row


def _mean(x: np.ndarray) -> float | None:
    return float(x.mean()) if len(x) else None


def _mean_with_ends(name: str, x: np.ndarray) -> Row:
    """A mean over units with Student's interval at 95 %."""
    if len(x) < 2:
        return {name: _mean(x), f"{name}_low": None, f"{name}_high": None}
    half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))
    return {name: float(x.mean()), f"{name}_low": float(x.mean() - half), f"{name}_high": float(x.mean() + half)}


def _share(name: str, k: int, n: int) -> Row:
    if n == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    interval = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    return {name: k / n, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _variance(x: np.ndarray) -> float:
    """Of the mean; no spread at all where the values differ by rounding alone."""
    return float(x.var(ddof=1)) / len(x) if np.ptp(x) > 1e-12 * np.abs(x).max() else 0.0


def _welch(estimate: float, parts: Sequence[float], sizes: Sequence[int], level: float) -> Row:
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
    return _welch(estimate, (_variance(a), _variance(b)), (len(a), len(b)), level)


def ratio(b: np.ndarray, a: np.ndarray, level: float) -> Row:
    if min(len(a), len(b)) == 0 or min(a.mean(), b.mean()) <= 0:
        return NOTHING
    if min(len(a), len(b)) == 1:
        return NOTHING | {"estimate": float(b.mean() / a.mean())}
    parts = _variance(a) / a.mean() ** 2, _variance(b) / b.mean() ** 2
    logs = _welch(math.log(b.mean() / a.mean()), parts, (len(a), len(b)), level)
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
    if min(map(len, placed)) == 1 or sum(map(_variance, placed)) == 0:
        return NOTHING | {"estimate": estimate}
    parts, sizes = [_variance(x) for x in placed], [len(x) for x in placed]
    row = _welch(estimate - 0.5, parts, sizes, level)
    if estimate in (0, 1):
        return NOTHING | {"estimate": estimate, "p_value": row["p_value"]}
    half = (row["high"] - row["low"]) / 2 / (estimate * (1 - estimate))
    ends = (float(special.expit(special.logit(estimate) + sign * half)) for sign in (-1, 1))
    return row | {"estimate": estimate} | dict(zip(("low", "high"), ends, strict=True))


def compare(a: list[Trial], b: list[Trial], level: float) -> dict[str, Row]:
    a, b = without_lone_chance(a), without_lone_chance(b)
    sound = [t for t in a if t.healthy], [t for t in b if t.healthy]
    result: dict[str, Row] = {}

    def add(endpoint: str, name: str, of: Any, **more: Any) -> None:
        counts = {"n_a": a, "n_b": b}
        row: Row = {"endpoint": endpoint, "level": level, "bound": None, "largest": None, "equivalent": None}
        row |= {key: sum(t.m[name] is not None for t in trials) for key, trials in counts.items()}
        row |= {"units_a": len(means(a, name)), "units_b": len(means(b, name))}
        healthy = of(*sound)
        result[endpoint] = row | of(a, b) | {"healthy": {k: healthy[k] for k in ("estimate", "low", "high")}} | more

    for unit in UNITS:
        for target in ("hi", "lo"):
            name = f"{unit}_to_target_{target}"
            hits = [[bool(t.m[f"reached_{target}"]) for t in trials] for trials in (a, b)]
            is_reached = any(map(any, hits))

            def of(x: list[Trial], y: list[Trial], name: str = name, is_reached: bool = is_reached) -> Row:
                return ratio(means(y, name), means(x, name), level) if is_reached else NOTHING

            more: Row = {}
            if of(a, b)["estimate"] is not None:
                more["bound"] = (("between", "at_most"), ("at_least", "exact"))[all(hits[0])][all(hits[1])]
                own = means(b, f"{unit}_at_horizon")
                more["largest"] = float(own.mean() / means(a, name).mean()) if len(own) else None
            add(f"r_{unit}_{target}", name, of, **more)
    cost = ratio(means(b, "step_ms"), means(a, "step_ms"), level)
    add(
        "r_cost",
        "step_ms",
        lambda x, y: ratio(means(y, "step_ms"), means(x, "step_ms"), level),
        bound=None if cost["estimate"] is None else "exact",
    )
    for endpoint, name in DIFFERENCES.items():

        def apart(x: list[Trial], y: list[Trial], name: str = name, level: float = level) -> Row:
            sign = -1 if name == "grad_slope" else 1
            return difference(*(means(z, name) for z in (x, y)[::sign]), level)

        more = {}
        if endpoint in ("d_test_acc", "d_gap_match"):
            wide = apart(a, b, level=1 - 2 * (1 - level))
            more["equivalent"] = None if wide["low"] is None else wide["low"] > -0.01 and wide["high"] < 0.01
        add(endpoint, name, apart, **more)
    add("p_a_better", "test_acc", lambda x, y: better(x, y, level))
    return result


def judge(a: list[Trial], b: list[Trial], compared: dict[str, Row], level: float) -> list[Row]:
    """The verdicts, claim by claim, from the table of claims."""

    def of_a(name: str) -> Row:
        return _one_arm(means(a, name), level)

    steps = "steps" if all(any(t.m["steps_at_horizon"] is not None for t in x) for x in (a, b)) else "epochs"
    seconds, match = compared["r_seconds_hi"], compared["d_gap_match"]
    rows: dict[str, Row] = {}

    def decide(claim: str, asked: list[tuple[Row, float]], *, below: bool = False, besides: bool = True) -> None:
        supported, refuted = besides, False
        for row, threshold in asked:
            if row["low"] is None:
                continue
            above, under = row["low"] > threshold, row["high"] < threshold
            yes, no = (under, above) if below else (above, under)
            supported &= yes and _counts(row, a, 0)
            refuted |= no and _counts(row, b, 1)
        rows[claim] = _row(claim, a, b, asked, supported, refuted)

    decide("C1a", [(seconds, 2)])
    decide("C1b", [(compared["r_cost"], 2)])
    decide("C2a", [(compared["d_grad_slope"], -0.15)], below=True)
    decide("C2b", [(_one_arm(means(b, "saturated"), level), 0.25)])
    decide("C3a", [(compared[f"r_{steps}_{target}"], 1.5) for target in ("hi", "lo")])
    share = 0.0
    if seconds["estimate"] not in (None, 1) and compared[f"r_{steps}_hi"]["estimate"] is not None:
        share = math.log(compared[f"r_{steps}_hi"]["estimate"]) / math.log(seconds["estimate"])
    decide("C3b", [(seconds, 1)], besides=share > 0.5)
    decide("C4a", [(of_a("drop"), 0.01), (of_a("gap_end"), 0.05)])
    decide("C4b", [(compared["d_gap_end"], 0.02)])
    matched = [[t for t in x if t.m["gap_match"] is not None] for x in (a, b)]
    whole = difference(*(means(x, "gap_end_val") for x in matched), level)["estimate"]
    is_progress = match["estimate"] is not None and whole is not None and whole > 0
    is_progress = is_progress and (whole - match["estimate"]) / whole > 0.5
    outside = match["low"] is not None and (match["low"] > 0.01 or match["high"] < -0.01)
    rows["C4c"] = _row("C4c", a, b, [(match, 0.01)], bool(match["equivalent"]) and is_progress, outside)
    if rows["C4b"]["verdict"] != "supported":
        rows["C4c"]["verdict"] = "not assessable"
    rows["C5"] = _accuracy(a, b, compared)
    return list(rows.values())


def _accuracy(a: list[Trial], b: list[Trial], compared: dict[str, Row]) -> Row:
    row, chance = compared["d_test_acc"], compared["p_a_better"]["estimate"]
    fails = [sum(not t.healthy for t in x) / len(x) if x else 0.0 for x in (a, b)]
    shown, healthy = row, row["healthy"]["low"]
    supported = row["low"] is not None and row["low"] > 0.01
    is_sound = healthy is not None and healthy > 0.01 and fails[1] >= fails[0]
    if not supported and is_sound and chance >= 0.75:
        shown, supported = row | row["healthy"], True
    supported = supported and chance >= 0.75
    return _row("C5", a, b, [(shown, 0.01)], supported, row["high"] is not None and row["high"] < 0.01)


def _one_arm(x: np.ndarray, level: float) -> Row:
    row: Row = NOTHING | {"units_a": len(x), "units_b": len(x), "bound": None, "estimate": _mean(x)}
    return row | _welch(float(x.mean()), [_variance(x)], [len(x)], level) if len(x) > 1 else row


def _counts(row: Row, trials: list[Trial], side: int) -> bool:
    """Whether a ratio counts for support (side 0, arm A) or refutation (side 1, arm B) with its censoring."""
    if row["bound"] in (None, "exact", ("at_least", "at_most")[side]):
        return True
    target = row["endpoint"][-2:]
    return sum(bool(t.m[f"reached_{target}"]) for t in trials) / len(trials) >= 0.9


def _row(
    claim: str, a: list[Trial], b: list[Trial], asked: list[tuple[Row, float]], supported: bool, refuted: bool
) -> Row:
    def nearness(item: tuple[Row, float]) -> float:
        row, threshold = item
        if row["low"] is None:
            return math.inf
        half, distance = (row["high"] - row["low"]) / 2, abs(row["estimate"] - threshold)
        return distance / half if half > 0 else math.inf if distance else 0.0

    row, threshold = min(asked, key=nearness)
    verdict = "undecided" if supported == refuted else "supported" if supported else "refuted"
    is_short = any(r["low"] is None or min(r["units_a"], r["units_b"]) < 10 for r, _ in asked)
    if is_short or not a or not b:
        verdict = "not assessable"
    shown = {key: row[key] for key in ("estimate", "low", "high", "bound")}
    return {"claim": claim, "verdict": verdict, "threshold": threshold, **shown}
