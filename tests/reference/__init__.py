"""The analysis once more, from the definitions of docs/method.md: plain loops over rows, trial by trial, pair by pair.

Nothing is shared with the code under test, and nothing here is fast. A row is a mapping from column to value, None
where nothing is recorded; a loss may be nan or inf.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference.estimates import describe
from reference.pairs import compare, judge, matchups
from reference.trials import Options, Row, Trial, fill_from_the_cell, find_target

__all__ = ["Options", "Row", "analyze"]


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


def _by_trial(rows: Sequence[Row]) -> list[list[Row]]:
    names = list(dict.fromkeys(row["trial_id"] for row in rows))
    return [sorted((r for r in rows if r["trial_id"] == name), key=lambda r: r["epoch"]) for name in names]
