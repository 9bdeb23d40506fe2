"""Comparisons of two arms, and the verdicts on them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.estimates import NOTHING, better, difference, mean_of, ratio, variance, welch
from reference.trials import UNITS, Row, Trial, means, without_lone_chance

DIFFERENCES = {"d_test_acc": "test_acc", "d_gap_end": "gap_end", "d_gap_match": "gap_match"}
DIFFERENCES |= {"d_grad_slope": "grad_slope", "d_nauc": "nauc"}


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
    row: Row = NOTHING | {"units_a": len(x), "units_b": len(x), "bound": None, "estimate": mean_of(x)}
    return row | welch(float(x.mean()), [variance(x)], [len(x)], level) if len(x) > 1 else row


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
