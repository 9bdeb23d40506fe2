"""Which images are in which split: stratified, and fixed by `data.seed` alone.

All images of a pool stand in one order in which every stretch from either end holds each class in proportion. Training
sets are stretches from its start, so that a smaller one is part of a larger one, and what is held out is taken from its
end, so that it does not depend on how many images are trained on.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actsweep.errors import DataError
from actsweep.settings import DataSettings

PROBE_SIZE = 10_000
ALL = "data.train=null data.val=null data.test=null"

Counts = tuple[tuple[int, ...], ...]
"""Images per class, for each pool: the training images and, where the data set has its own, the test images."""


class Cuts(NamedTuple):
    """Where each split lies in the order of all images: the training pool's, then the test pool's."""

    train: slice
    probe: slice
    val: slice
    test: slice


def class_sequence(counts: Sequence[int]) -> NDArray[np.int64]:
    """Spread classes evenly: the first m places hold every class k to within one of m counts[k] / sum(counts).

    The copies of a class are jobs with a release and a deadline, the bounds of that condition, served earliest deadline
    first (Steiner and Yeomans, Management Science 39, 1993). What follows any place is spread as evenly.

    Args:
        counts: how often each class occurs.

    Returns:
        class numbers, shape (sum(counts),).
    """
    total = sum(counts)
    sequence = np.empty(total, dtype=np.int64)
    placed = [0] * len(counts)
    waiting = [(1, k) for k, count in enumerate(counts) if count]
    ready: list[tuple[int, int]] = []
    for place in range(1, total + 1):
        while waiting and waiting[0][0] <= place:
            k = heappop(waiting)[1]
            heappush(ready, (-(-(placed[k] + 1) * total // counts[k]), k))
        k = heappop(ready)[1]
        sequence[place - 1] = k
        placed[k] += 1
        if placed[k] < counts[k]:
            heappush(waiting, (placed[k] * total // counts[k] + 1, k))
    return sequence


def stratified_order(counts: Counts, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order of all images, the training pool's first, and their classes.

    Args:
        counts: images per class and pool; images are numbered pool by pool, class by class.
        seed: `data.seed`; it decides which images of a class come first, never where a class stands.

    Returns:
        image numbers and labels, both of shape (images,).
    """
    generator = np.random.default_rng(seed)
    orders, labels = [], []
    start = 0
    for pool in counts:
        sequence = class_sequence(pool)
        order = np.empty_like(sequence)
        for k, count in enumerate(pool):
            order[sequence == k] = start + generator.permutation(count)
            start += count
        orders.append(order)
        labels.append(sequence)
    return np.concatenate(orders), np.concatenate(labels)


def cut(counts: Counts, settings: DataSettings) -> Cuts:
    """Where the splits lie.

    With test images of its own, a data set gives a tenth of its training images to validation, unless `data.val` says
    otherwise; without, a fifth each to validation and test. Training takes what is left, unless `data.train` is given.
    The probe is the start of the training split: 10,000 images, or as many as validation or training has if fewer.

    Raises:
        DataError: more images are asked for than there are.
    """
    pool, *own_test = (sum(pool) for pool in counts)
    share = 10 if own_test else 5
    val = pool // share if settings.val is None else settings.val
    available = own_test[0] if own_test else pool
    default_test = available if own_test else pool // share
    test = default_test if settings.test is None else settings.test
    misfits = []
    if test > available:
        misfits.append(f"data.test={test}: there are {available} {'test images' if own_test else 'images'}")
    taken = 0 if own_test or misfits else test
    end = pool - taken
    train = end - val if settings.train is None else settings.train
    if train < 1 or train + val > end:
        what = "training images" if own_test else f"images, of which testing takes {taken}" if taken else "images"
        misfits.append(
            f"data.train={_shown(settings.train)} and data.val={_shown(settings.val)} do not fit: there are {pool} "
            f"{what}, validation takes {val} and leaves {max(0, end - val)}"
        )
    if misfits:
        raise DataError(f"{'; '.join(misfits)}; ask for fewer, or for all there are: {ALL}")
    test_start = pool if own_test else end
    return Cuts(
        train=slice(0, train),
        probe=slice(0, min(PROBE_SIZE, val, train)),
        val=slice(end - val, end),
        test=slice(test_start, test_start + test),
    )


def check_classes(labels: NDArray[np.int64], classes: Sequence[str], cuts: Cuts) -> None:
    """Refuse splits in which a class is missing.

    Raises:
        DataError: a class has no image in the training, validation or test split.
    """
    for option, part in (("train", cuts.train), ("val", cuts.val), ("test", cuts.test)):
        present = np.bincount(labels[part], minlength=len(classes))
        if not present.all():
            name = classes[int(present.argmin())]
            raise DataError(
                f"data.{option}: none of its {part.stop - part.start} images is of class {name!r}, which has too few "
                f"images ({np.count_nonzero(labels == present.argmin())} in all) for such a split; add images or "
                "change data.train, data.val or data.test"
            )


def _shown(size: int | None) -> str:
    return "null" if size is None else str(size)
