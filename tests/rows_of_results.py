"""Rows of a results dictionary as users have it, and the trials that belong to them."""

from collections.abc import Sequence
from typing import Any

from actsweep.analysis import TrialCurve
from actsweep.curves import Curve

Row = dict[str, Any]
LEVEL = 0.995


def cell(activation: str, depth: int | None = 3, **changes: Any) -> Row:
    plain = {
        "n": 10,
        "units": 10,
        "healthy": 10,
        "failure_share": 0.0,
        "failure_share_low": 0.0,
        "failure_share_high": 0.2775,
        "lrs": [0.00316],
        "reached_hi": 1.0,
        "reached_hi_low": 0.7225,
        "reached_hi_high": 1.0,
        "rmst_epochs_hi": 7.9,
        "test_acc_mean": 0.9734,
        "test_acc_sd": 0.0051,
        "test_acc_healthy_mean": 0.9734,
        "gap_end_mean": 0.0266,
    }
    return {"activation": activation, "depth": depth, **plain, **changes}


def comparison(endpoint: str, estimate: float | None, low: float | None, high: float | None, **changes: Any) -> Row:
    place = {"a": "relu", "b": "sigmoid", "depth": 3, "phase": "replicate"}
    values = {"estimate": estimate, "low": low, "high": high, "level": LEVEL, "equivalent": None}
    values["healthy"] = {"estimate": None, "low": None, "high": None}
    return {"endpoint": endpoint, **place, **values, **changes}


def verdict(claim: str, statement: str, says: str, numbers: tuple[float | None, ...], why: str, **changes: Any) -> Row:
    place = {"a": "relu", "b": "sigmoid", "depth": 3, "phase": "replicate", "level": LEVEL, "bound": None}
    form = {
        "claim_title": "in short",
        "estimate_kind": "points",
        "estimate_of": ["relu", "sigmoid"],
        "claim_asks": "over",
    }
    values = dict(zip(("estimate", "low", "high", "threshold"), numbers, strict=True))
    return {"claim": claim, "statement": statement, "verdict": says, **place, **form, **values, "why": why, **changes}


def trial(activation: str, seed: int, test_acc: float | None, depth: int | None = 3, **changes: Any) -> Row:
    place = {"phase": "replicate", "activation": activation, "depth": depth, "lr": 0.00316, "seed": seed, "block": 0}
    state = {"status": "completed", "diverged": False, "stuck": False, "test_acc": test_acc}
    return {"trial_id": f"{activation}-{seed}", **place, **state, **changes}


def run(
    trial_id: str, val_acc: Sequence[float | None], epoch: Sequence[float] | None = None, **changes: Any
) -> TrialCurve:
    """A trial with its curve; series such as `train_loss` may be added, and the place of a relu replicate changed."""
    at = list(range(len(val_acc))) if epoch is None else epoch
    place: Row = {"phase": "replicate", "arm": "relu", "strata": (3,), "lr": 0.00316, "seed": 0, "block": 0}
    place |= {name: changes.pop(name) for name in list(changes) if name in place}
    columns: Row = {"epoch": at, "val_acc": val_acc, **{name: changes[name] for name in changes if name != "status"}}
    rows = [{name: values[index] for name, values in columns.items()} for index in range(len(at))]
    rows[-1]["status"] = changes.get("status", "completed")
    return TrialCurve(trial_id, curve=Curve.from_rows(rows), **place)
