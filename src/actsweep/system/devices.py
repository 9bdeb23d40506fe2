"""What this machine can train on."""

import os

from actsweep.system.container import cpu_quota


def cores() -> int:
    """How many processor cores this process may use: those it may run on, as far as a container's quota lets it."""
    return min(len(os.sched_getaffinity(0)), max(1, int(cpu_quota() or 1e9)))


def cuda_devices() -> tuple[str, ...]:
    """The names of the GPUs that torch can use."""
    import torch

    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
