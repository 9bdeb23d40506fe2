"""Two arms with the measures that a verdict needs, and the verdict."""

from typing import Any

import numpy as np

from actsweep.compare import Cell, Verdict, compare_pair, judge_pair
from actsweep.compare.judging.claims import Pair
from simulate import cell

N = 12
HORIZON = 20.0


def around(mean: float, spread: float = 0.02, n: int = N) -> np.ndarray:
    """n values with this mean, spread evenly over +-spread times it."""
    return mean * (1 + spread * np.linspace(-1, 1, n))


def arm(name: str, hi: Any = 4.0, lo: Any = 3.0, second: float = 1.0, steps: bool = True, **measures: Any) -> Cell:
    """Replicates that take `hi` and `lo` epochs (a mean, or one time a trial) to the targets; HORIZON is censored."""
    times = {
        target: around(t) if isinstance(t, float) else np.array(t, float) for target, t in (("hi", hi), ("lo", lo))
    }
    n = len(times["hi"])
    fields: dict[str, Any] = {
        "epochs_at_horizon": np.full(n, HORIZON),
        "seconds_at_horizon": np.full(n, second * HORIZON),
    }
    if steps:
        fields["steps_at_horizon"] = np.full(n, 100 * HORIZON)
    for target, epochs in times.items():
        fields |= {f"reached_{target}": (epochs < HORIZON).astype(float), f"epochs_to_target_{target}": epochs}
        fields[f"seconds_to_target_{target}"] = second * epochs
        if steps:
            fields[f"steps_to_target_{target}"] = 100 * epochs
    means = {name: around(value) if isinstance(value, float) else value for name, value in measures.items()}
    return cell(name, **fields, **means)


def judge(claim: str, a: Cell, b: Cell, level: float = 0.995, unit: str = "seed", phase: str = "replicate") -> Verdict:
    """The verdict on one claim."""
    pair = Pair(a, b, compare_pair(a, b, level), level, HORIZON, unit, phase)
    return next(verdict for verdict in judge_pair(pair) if verdict.claim == claim)
