"""The states of all random generators that a trial may draw from, as plain values and tensors."""

import random
from typing import Any

import numpy as np
import torch


def random_state(order: torch.Generator) -> dict[str, Any]:
    """What `set_random_state` needs: the global generators' states and that of `order`.

    Args:
        order: the generator of the trial's data order and augmentation.
    """
    return {**global_random_state(), "order": order.get_state()}


def set_random_state(state: dict[str, Any], order: torch.Generator) -> None:
    """Put every generator where it was when `random_state` was called."""
    set_global_random_state(state)
    order.set_state(state["order"])


def global_random_state() -> dict[str, Any]:
    """What `set_global_random_state` needs: the states of Python's, NumPy's and torch's generators, and the GPU's."""
    numpy: Any = np.random.get_state(legacy=True)  # noqa: NPY002 - the global generator
    name, keys, position, has_gauss, cached = numpy
    version, words, gauss = random.getstate()
    return {
        "python": (version, torch.tensor(words), gauss),  # hundreds of plain numbers would take long to write
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached),
        "torch": torch.get_rng_state(),
        # Asking a GPU that nothing runs on would take memory there, of each process that trains on the CPU.
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
    }


def set_global_random_state(state: dict[str, Any]) -> None:
    """Put every global generator where it was when `global_random_state` was called."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    legacy = (name, keys.numpy().astype(np.uint32), position, has_gauss, cached)
    np.random.set_state(legacy)  # noqa: NPY002 - the global generator
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
