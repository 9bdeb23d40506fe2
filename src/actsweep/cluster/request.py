"""What one worker asks of a Ray cluster, in Ray's words."""

import math
from typing import Any

from actsweep.settings import ResourceSettings

GIBIBYTE = 2**30


def worker_request(asked: ResourceSettings, *, whole_gpu: bool = False) -> dict[str, float]:
    """Amounts by Ray's names of resources: CPU, GPU, memory (in bytes), and those that the cluster's owner named.

    Args:
        asked: `cluster.resources`.
        whole_gpu: whether a share of a GPU is to be all of it.
    """
    gpu = float(math.ceil(asked.gpu)) if whole_gpu else asked.gpu
    amounts = {"CPU": asked.cpu, "GPU": gpu, "memory": float(round((asked.memory or 0) * GIBIBYTE)), **asked.custom}
    return {name: amount for name, amount in amounts.items() if amount}


def worker_options(asked: ResourceSettings) -> dict[str, Any]:
    """The same as options of a Ray task or actor."""
    amounts = worker_request(asked)
    named = {"num_cpus": amounts.pop("CPU"), "num_gpus": amounts.pop("GPU", 0.0), "memory": amounts.pop("memory", None)}
    return {**named, "resources": amounts}


def shown(amounts: dict[str, float]) -> str:
    """Amounts for people, in one order: `1 CPU and 0.5 GPU`."""
    first = {name: place for place, name in enumerate(("CPU", "GPU", "memory"))}
    return " and ".join(
        f"{amount / GIBIBYTE:.3g} GiB of memory" if name == "memory" else f"{amount:g} {name}"
        for name, amount in sorted(amounts.items(), key=lambda item: (first.get(item[0], len(first)), item[0]))
    )
