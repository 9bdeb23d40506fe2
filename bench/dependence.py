"""How often 95 % intervals hold the truth where what the method takes as independent is not.

Arms share seeds, and are compared as if they did not. Runs of one tuning block share a learning rate, and a share of
runs is given as if they did not.
"""

from typing import Any

import numpy as np

from actsweep.compare.statistics.estimates import difference_of_means, wilson

STUDIES = 4000
UNITS, SEEDS = 10, 3  # per arm; per block
CORRELATIONS = (-0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
SAME_FATE = (0.0, 0.2, 0.6, 1.0)  # correlation of two runs of one block
SHARES = (0.1, 0.3, 0.5)


def run() -> dict[str, Any]:
    """Per cent of studies whose interval holds the truth, with the Monte Carlo standard error."""
    figures = {f"difference of means, arms correlated {rho:+.1f}": _percent(_of_means(rho)) for rho in CORRELATIONS}
    for rho in SAME_FATE:
        for share in SHARES:
            figures[f"share {share:g}, runs of a block correlated {rho:g}"] = _percent(_of_share(share, rho))
    return figures


def _of_means(rho: float) -> float:
    rng = np.random.default_rng(0)
    pairs = rng.multivariate_normal([0.0, 0.0], [[1.0, rho], [rho, 1.0]], (STUDIES, UNITS))
    found = (difference_of_means(study[:, 0], study[:, 1], 0.95) for study in pairs)
    return float(np.mean([interval.low <= 0.0 <= interval.high for interval in found]))


def _of_share(share: float, rho: float) -> float:
    rng = np.random.default_rng(0)
    shape = STUDIES, UNITS, SEEDS
    of_block = rng.random((STUDIES, UNITS, 1)) < share
    follows = rng.random(shape) < np.sqrt(rho)
    hits = np.where(follows, of_block, rng.random(shape) < share).sum(axis=(1, 2))
    return float(np.mean([low <= share <= high for low, high in (wilson(int(n), UNITS * SEEDS) for n in hits)]))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / STUDIES):.1f}"
