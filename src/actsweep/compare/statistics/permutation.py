"""Permutation tests of two arms' unit means."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np

from actsweep.curves import FloatArray

EXACT_UP_TO = 20_000  # splits
DRAWN = 9_999  # splits, where there are more
CELLS = 2_000_000  # numbers in one table of splits, so that large arms cost little time and memory
SEED = 20_240_229
TIE = 1e-9  # of the largest value


def permutation_p(a: FloatArray, b: FloatArray) -> float:
    """Two-sided p value of the difference of the means of `a` (n,) and `b` (m,) under random splits of their union.

    It is that of the ratio of the means too, where no value is negative: with their union the sum is given, so that
    splits come in the same order by either. Twice the smaller one-sided p value, at most 1. All splits are tried where
    there are few; else random ones, the observed among them. NaN below two values in either.
    """
    if min(len(a), len(b)) < 2:
        return float("nan")
    pooled = np.concatenate([a, b])
    splits, exact = _splits(len(a), len(b))
    # Not `@`: BLAS spreads so small a product over threads, which wait for each other wherever a core is busy.
    sums = np.einsum("ij,j->i", splits, pooled)
    statistic = sums / len(a) - (pooled.sum() - sums) / len(b)
    observed = float(a.mean() - b.mean())
    tie = TIE * float(np.abs(pooled).max())
    extra = 0 if exact else 1
    count = len(statistic) + extra
    above = (int((statistic >= observed - tie).sum()) + extra) / count
    below = (int((statistic <= observed + tie).sum()) + extra) / count
    return min(1.0, 2.0 * min(above, below))


@lru_cache(maxsize=16)
def _splits(n: int, m: int) -> tuple[FloatArray, bool]:
    """Splits of n + m values as rows of 0 and 1 (1 = first group), and whether they are all there are."""
    total = n + m
    exact = comb(total, n) <= EXACT_UP_TO
    if exact:
        chosen = np.fromiter(chain.from_iterable(combinations(range(total), n)), dtype=np.intp).reshape(-1, n)
    else:
        rows = int(np.clip(CELLS // total, 999, DRAWN))
        order = np.random.default_rng((SEED, n, m)).random((rows, total)).argsort(axis=1)
        chosen = order[:, :n]
    table = np.zeros((len(chosen), total))
    np.put_along_axis(table, chosen, 1.0, axis=1)
    table.setflags(write=False)
    return table, exact
