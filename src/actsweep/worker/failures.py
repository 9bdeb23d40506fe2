"""Why a trial failed, told from what it raised."""

import errno
import re
from collections.abc import Mapping

from actsweep.errors import DataError, OutdatedError, RemoteError, TrialTimeoutError
from actsweep.events import FailureReason

_OURS: Mapping[type[BaseException], FailureReason] = {
    OutdatedError: "lost",
    RemoteError: "storage",
    TrialTimeoutError: "timeout",
    DataError: "data",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Of what torch raises where an allocation fails only the text is the same for all devices and allocators.
_NO_GPU_MEMORY = re.compile(r"(?:CUDA|HIP)\b.*out of memory|CU\w+_ALLOC_FAILED")
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory")


def reason_of(error: BaseException) -> FailureReason:
    """Why a trial that raised `error` failed."""
    for kind, reason in _OURS.items():
        if isinstance(error, kind):
            return reason
    match error:
        case OSError() if error.errno in _FULL:
            return "disk"
        case MemoryError() | OSError(errno=errno.ENOMEM):
            return "memory"
        case RuntimeError() if _NO_GPU_MEMORY.search(str(error)):
            return "gpu_memory"
        case RuntimeError() if _NO_MEMORY.search(str(error)):
            return "memory"
        case _:
            return "error"
