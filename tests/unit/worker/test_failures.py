"""Why a trial failed; texts of torch are quoted as it writes them."""

import errno

import pytest
import torch

from actsweep.errors import DataError, TrialTimeoutError
from actsweep.records import OutdatedError
from actsweep.worker import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no"), "error"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "error"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), "error"),
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), "gpu_memory"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "gpu_memory"),
        (OSError(errno.ENOSPC, "No space left on device", "last.ckpt"), "disk"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "last.ckpt"), "disk"),
        (TrialTimeoutError("too long"), "timeout"),
        (DataError("an image is damaged"), "data"),
        (OutdatedError(), "lost"),
    ],
)
def test_the_reason_of_an_error(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason


def test_what_torch_raises_where_memory_is_short_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert reason_of(caught.value) == "memory"
