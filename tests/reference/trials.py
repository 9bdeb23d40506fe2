"""Trials and their measures, and the targets that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Row = dict[str, Any]


Numbers = list[float]


UNITS = {"epochs": "epoch", "steps": "step", "seconds": "seconds"}


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
