"""Curves, trials, cells and whole studies whose true values are known, for the tests of the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from actsweep.analysis import AnalysisOptions, TrialCurve, analyze_curves
from actsweep.compare import Cell
from actsweep.curves import LISTED, Curve

CLASSES = 10
CHANCE = 0.1
Row = dict[str, Any]


def curve(val_acc: Sequence[float], **fields: Any) -> Curve:
    """A curve evaluated at epochs 0, 1, 2, ...; sequences among `fields` become arrays."""
    arrays = {
        k: np.array(v, float) if isinstance(v, Sequence) and not isinstance(v, str) else v for k, v in fields.items()
    }
    return Curve(epoch=np.arange(float(len(val_acc))), val_acc=np.array(val_acc, float), **arrays)


def crossing_curve(at: int, horizon: int, *, top: float = 0.9, second: float = 1.0, **fields: Any) -> Curve:
    """A curve at chance before epoch `at`, at `top` from then on; an epoch has 100 steps and takes `second` seconds."""
    epoch = np.arange(horizon + 1.0)
    return Curve(epoch, np.where(epoch >= at, top, CHANCE), step=100 * epoch, seconds=second * epoch, **fields)


def trial(arm: str, seed: int, its_curve: Curve, **place: Any) -> TrialCurve:
    """A replicate at depth 3 and lr 0.01, unless told otherwise."""
    where: Row = {"phase": "replicate", "strata": (3,), "lr": 0.01, "block": None} | place
    trial_id = f"{where['phase']}-{arm}-{where['strata']}-{where['block']}-{where['lr']}-{seed}"
    return TrialCurve(trial_id=trial_id, arm=arm, seed=seed, curve=its_curve, **where)


def cell(arm: str, unit: Sequence[int] | None = None, **measures: Sequence[float]) -> Cell:
    """A cell of healthy trials that have these measures and no others."""
    n = len(next(iter(measures.values())))
    filled: dict[str, Any] = dict.fromkeys(NAMES, np.full(n, np.nan)) | {
        name: np.zeros(n) for name in ("diverged", "stuck")
    }
    filled |= {name: np.array(values, float) for name, values in measures.items()}
    return Cell(arm, np.arange(n) if unit is None else np.array(unit), np.full(n, 0.01), filled)


NAMES = {
    *LISTED,
    *("gap_end_test", "gap_end_val", "train_loss_min"),
    *(f"{unit}_at_horizon" for unit in ("epochs", "steps", "seconds")),
}


@dataclass(frozen=True)
class Truth:
    """What is true of an arm: means (`epochs` to both targets), and the share of its trials that diverge at epoch 2."""

    epochs: float = 5.0
    second: float = 1.0
    step_ms: float = 10.0
    test_acc: float = 0.9
    gap: float = 0.03
    slope: float = -0.02
    fails: float = 0.0


@dataclass(frozen=True)
class Family:
    """A family of studies: arms by name, the reference first, and the design that they share."""

    arms: Mapping[str, Truth]
    n: int = 12
    horizon: int = 20
    blocks: int = 1
    block_sd: float = 0.0
    depths: tuple[int, ...] = (3,)


def draw(family: Family, rng: np.random.Generator) -> list[TrialCurve]:
    """The replicates of one study: `n` trials per block of every arm."""
    return [
        replace(trial(arm, seed, _draw_curve(truth, family, shift, rng), strata=(depth,)), block=block)
        for depth in family.depths
        for arm, truth in family.arms.items()
        for block in range(family.blocks)
        for shift in [rng.normal(0, family.block_sd)]
        for seed in range(family.n)
    ]


def _draw_curve(truth: Truth, family: Family, shift: float, rng: np.random.Generator) -> Curve:
    if rng.random() < truth.fails:
        return curve([CHANCE, 0.5, CHANCE], train_loss=[2.3, 1.0, np.inf], step=[0, 100, 200], seconds=[0, 1, 2])
    epoch = np.arange(family.horizon + 1.0)
    at = int(np.clip(round(rng.normal(truth.epochs, 0.1 * truth.epochs)), 1, family.horizon))
    accuracy = np.where(epoch >= at, 0.9, CHANCE) + rng.normal(0, 0.002, len(epoch))
    test_acc = truth.test_acc + shift + rng.normal(0, 0.004)
    loss = 2.3 * np.exp(-epoch / truth.epochs)
    return Curve(
        epoch,
        accuracy,
        step=100 * epoch,
        seconds=epoch * truth.second * rng.normal(1, 0.05),
        train_loss=loss,
        train_acc=test_acc + truth.gap * (1 - loss / 2.3) / (1 - loss[-1] / 2.3) + rng.normal(0, 0.002, len(epoch)),
        grad_slope=np.full(len(epoch), truth.slope + rng.normal(0, 0.02)),
        test_acc=test_acc,
        best_test_acc=test_acc + rng.normal(0.002, 0.001),
        step_ms=truth.step_ms * rng.normal(1, 0.05),
    )


def options(**changes: Any) -> AnalysisOptions:
    """Options of a study of relu on ten classes."""
    return AnalysisOptions(**({"name": "study", "reference": "relu", "classes": CLASSES} | changes))


def analyze(trials: Sequence[TrialCurve], **changes: Any) -> Row:
    """The results of trials under `options(**changes)`."""
    return analyze_curves(trials, options(**changes))


def pick(rows: Sequence[Row], **where: Any) -> Row:
    """The one row that has these values."""
    found = [row for row in rows if all(row[name] == value for name, value in where.items())]
    assert len(found) == 1, f"{len(found)} rows have {where}"
    return found[0]


def verdict(results: Row, claim: str) -> str:
    """What is said of a claim on which there is one verdict."""
    found: str = pick(results["verdicts"], claim=claim)["verdict"]
    return found


RELU, SIGMOID = Truth(), Truth(epochs=13, step_ms=10.2, test_acc=0.8, gap=0.02, slope=-0.6)
STUDY = Family({"relu": RELU, "sigmoid": SIGMOID})


def study(seed: int = 0, **changes: Any) -> list[TrialCurve]:
    """One study of ReLU and a slower, worse sigmoid, with changes to its design."""
    return draw(replace(STUDY, **changes), np.random.default_rng(seed))


def tune(trials: Sequence[TrialCurve]) -> list[TrialCurve]:
    """Tune trials with the curves of `trials`, each at its own learning rate."""
    return [
        replace(t, phase="tune", trial_id=f"tune {t.trial_id}", lr=0.001 * (t.seed + 1), seed=t.seed + 1000)
        for t in trials
    ]
