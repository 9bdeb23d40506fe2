"""What this machine can train on."""

import os


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0))


def cuda_devices() -> tuple[str, ...]:
    """The names of the GPUs that torch can use."""
    import torch

    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
