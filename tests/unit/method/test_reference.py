"""The whole analysis against a plain re-computation from the definitions, on random tables full of awkward cases."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from actsweep.compare.judging.claims import CLAIMS
from actsweep.tables import analyze
from curve_tables import write_csv
from reference import Options, Row

STUDIES = 100
MAY_LACK = ("step", "seconds", "train_loss", "val_loss", "train_acc", "test_acc", "best_test_acc", "step_ms")
MAY_LACK += ("grad_slope", "saturated")
Generator = np.random.Generator


def chance_of(rng: Generator, p: float) -> bool:
    return bool(rng.random() < p)


def draw_options(rng: Generator, epochs: list[int]) -> Options:
    """Options of which some are given."""
    fixed = sorted(round(float(x), 2) for x in rng.uniform(0.2, 0.9, 2))
    return Options(
        classes=int(rng.choice([2, 10, 100])),
        horizon=float(epochs[-2]) if chance_of(rng, 0.2) else None,
        target_hi=fixed[1] if chance_of(rng, 0.2) else None,
        target_lo=fixed[0] if chance_of(rng, 0.1) else None,
        level=0.9 if chance_of(rng, 0.3) else None,
    )


def draw_kind(rng: Generator) -> dict[str, float]:
    """What the trials of a cell have in common."""
    choices = {
        "speed": [1.0, 1.0, 2.5, 5.0],
        "gap": [0.01, 0.03, 0.15],
        "drop": [0.0, 0.01, 0.04],
        "step_ms": [5.0, 10.0, 12.0],
        "saturated": [0.1, 0.25, 0.4],
    }
    return {name: float(rng.choice(values)) for name, values in choices.items()}


def draw_curve(rng: Generator, epochs: list[int], classes: int, kind: dict[str, float], fate: str) -> list[Row]:
    """One trial's evaluations; accuracies are rounded, so that ties occur."""
    speed, top, chance = kind["speed"], rng.normal(0.8, 0.02), 1 / classes
    tau, second = speed * np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.1))
    rows: list[Row] = []
    for epoch in epochs:
        left = math.exp(-epoch / tau) if fate != "stuck" else 1.0
        accuracy = chance + (top - chance) * (1 - left)
        train_loss = 0.05 + math.log(classes) * left * math.exp(rng.normal(0, 0.02))
        rows.append(
            {
                "epoch": epoch,
                "step": 10 * epoch,
                "seconds": second * epoch,
                "train_loss": train_loss,
                "val_loss": train_loss + 0.1,
                "train_acc": round(float(np.clip(accuracy + kind["gap"] * (1 - left) + rng.normal(0, 0.01), 0, 1)), 2),
                "val_acc": round(float(np.clip(accuracy + rng.normal(0, 0.02), chance, 1)), 2),
                "grad_slope": -0.1 * speed + rng.normal(0, 0.05),
                "saturated": kind["saturated"] + abs(rng.normal(0, 0.02)),
                **dict.fromkeys(("test_acc", "best_test_acc", "step_ms", "status")),
            }
        )
    final = float(np.clip(top + rng.normal(0, 0.01), 0, 1))
    rows[-1] |= {
        "test_acc": round(final, 3),
        "best_test_acc": min(1.0, round(final + kind["drop"] + rng.normal(0, 0.002), 3)),
        "status": "completed",
    }
    rows[-1]["step_ms"] = kind["step_ms"] * math.exp(rng.normal(0, 0.1))
    return _diverged(rng, rows) if fate == "diverges" else rows


def _diverged(rng: Generator, rows: list[Row]) -> list[Row]:
    """The curve with a bad evaluation somewhere, by any of the signs, and with or without what comes after it."""
    bad = int(rng.integers(0, len(rows)))
    sign = str(rng.choice(["nan", "inf", "large", "status"])) if bad else "status"
    if sign != "status":
        column = "val_loss" if sign == "inf" else "train_loss"
        rows[bad][column] = {"nan": math.nan, "inf": math.inf, "large": 99.0}[sign]
    if sign == "status" or chance_of(rng, 0.7):
        rows = rows[: bad + 1]
        rows[-1] |= {"status": "diverged" if sign == "status" or chance_of(rng, 0.5) else None}
        if chance_of(rng, 0.5):
            rows[-1] |= dict.fromkeys(("val_acc", "seconds"))
    return rows


def draw_trials(rng: Generator, options: Options, epochs: list[int]) -> Iterator[tuple[Row, list[Row]]]:
    """Where each trial belongs, and its rows."""
    blocks, runs = ((1, int(rng.integers(8, 14))), (1, 2), (10, 2), (3, 4))[int(rng.integers(4))]
    depths = [None] if chance_of(rng, 0.3) else [3, 5][: int(rng.integers(1, 3))]
    arms = ["relu", "sigmoid", "tanh"][: int(rng.integers(2, 4))]
    has_cross, has_tune = chance_of(rng, 0.3), chance_of(rng, 0.4)
    fails = float(rng.choice([0, 0, 0.15, 0.5]))
    fates = {arm: str(rng.choice(["", "", "", "stuck", "diverges"])) for arm in arms[1:]}
    for depth in depths:
        for arm in arms:
            if arm == "tanh" and depth == 5:
                continue
            kind = draw_kind(rng)
            for phase in ["replicate", *["cross"] * has_cross, *["tune"] * has_tune]:
                for block in range(blocks):
                    for seed in range(runs):
                        fate = fates.get(arm, "") if depth in (None, 3) and phase == "replicate" else ""
                        if not fate and (arm, seed, block) != ("relu", 0, 0) and chance_of(rng, fails):
                            fate = str(rng.choice(["stuck", "diverges"]))
                        lr = 0.1 if (arm == "relu") == (phase != "cross") else 0.01
                        if phase == "tune" or (phase == "cross" and chance_of(rng, 0.1)):
                            lr = 0.001 * (1 + seed)
                        place = {"phase": phase, "activation": arm, "depth": depth, "lr": lr, "seed": seed}
                        rows = draw_curve(rng, epochs, options.classes, kind, fate)
                        yield place | {"block": block}, rows


def draw_table(rng: Generator) -> tuple[list[Row], Options]:
    """A table that is not refused, and options for it."""
    epochs = [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 4, 8, 9], [1, 2, 3, 4], [0, 2, 4, 6, 8]][int(rng.integers(4))]
    options = draw_options(rng, epochs)
    lacking = [name for name in MAY_LACK if chance_of(rng, 0.12)]
    rows: list[Row] = []
    for number, (place, curve) in enumerate(draw_trials(rng, options, epochs)):
        if {"train_loss", "val_loss"} & {*lacking} and (
            curve[-1]["epoch"] < epochs[-1] or curve[-1]["val_acc"] is None
        ):
            curve[-1]["status"] = "diverged"
        if chance_of(rng, 0.02) and place["seed"]:
            curve[-1]["status"] = "failed"
        if chance_of(rng, 0.01):
            curve[-1]["test_acc"] = None
        rows += [{"trial_id": f"t{number}", **place, **row} for row in curve]
    drop = [*lacking, *(["depth"] if rows[0]["depth"] is None else [])]
    if all(row["phase"] == "replicate" for row in rows) and chance_of(rng, 0.5):
        drop += ["phase", *(["lr"] if chance_of(rng, 0.5) else [])]
    return [{name: value for name, value in row.items() if name not in drop} for row in rows], options


def keyed(rows: list[Row], *names: str) -> dict[Any, Row]:
    found = {tuple(row.get(name) for name in names): row for row in rows}
    assert len(found) == len(rows)
    return found


KEYS = {
    "trials": ("trial_id",),
    "targets": ("depth",),
    "cells": ("activation", "depth"),
    "comparisons": ("endpoint", "a", "b", "depth", "phase"),
    "verdicts": ("claim", "a", "b", "depth", "phase"),
}
UNLISTED = {"epochs_at_horizon", "steps_at_horizon", "seconds_at_horizon", "gap_end_val", "loss_min"}
"""What others follow from, and no trial's row holds."""


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(same(found[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float | np.floating):
        return found is not None and found == pytest.approx(expected, rel=1e-7, abs=1e-10)
    return bool(found == expected)


@pytest.mark.parametrize("seed", range(STUDIES))
def test_both_say_the_same(seed: int, tmp_path: Path) -> None:
    rows, options = draw_table(np.random.default_rng(seed))
    expected = reference.analyze(rows, replace(options, claims=len(CLAIMS)))
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    found = analyze(
        write_csv(tmp_path / "curves.csv", shuffled),
        reference=options.reference,
        classes=options.classes,
        horizon=options.horizon,
        target_hi=options.target_hi,
        target_lo=options.target_lo,
        level=options.level,
    )
    for part, names in KEYS.items():
        ours, theirs = keyed(found[part], *names), keyed(expected[part], *names)
        compared = {key: row for key, row in ours.items() if part != "trials" or row["status"] != "failed"}
        judged = {row["claim"] for row in expected["verdicts"]}
        asked = {key for key in compared if part != "verdicts" or key[0] in judged}
        assert asked == set(theirs), part
        for key, row in theirs.items():
            for name, value in row.items():
                if part != "trials" or name not in UNLISTED:
                    assert same(ours[key][name], value), (part, key, name, ours[key][name], value)
