"""Whether two curves are equal to the last bit in all but times."""

import numpy as np

from actsweep.curves import Curve

SERIES = ("epoch", "step", "val_acc", "val_loss", "train_acc", "train_loss", "grad_slope", "saturated", "dead")
ENDS = ("test_acc", "test_loss", "best_test_acc", "status")


def same(one: Curve, two: Curve) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in SERIES) and all(
        getattr(one, name) == getattr(two, name) for name in ENDS
    )
