"""Why a trial failed; texts of torch are quoted as it writes them."""

import errno
from pathlib import Path
from typing import get_args

import pytest
import torch

from actsweep.errors import DataError, OutdatedError, TrialTimeoutError
from actsweep.events import FailureReason, TrialFailed
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


@pytest.mark.parametrize("reason", get_args(FailureReason))
def test_every_reason_is_explained_in_the_code_and_to_users(reason: str) -> None:
    assert f" {reason} (" in " ".join((TrialFailed.__doc__ or "").split())
    assert f"`{reason}`" in (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
