"""Why an attempt at a trial failed, told from what its worker raised or from what Ray says of the worker's end."""

import errno
import re

from actsweep.errors import DataError, TrialTimeoutError
from actsweep.events import FailureReason
from actsweep.records import OutdatedError

_FULL = (errno.ENOSPC, errno.EDQUOT)
# Of what torch raises where an allocation fails only the text is the same for all devices and allocators.
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|ALLOC_FAILED")
# Ray's own words; the kernel's OOM killer, which it names as a possible cause of any SIGKILL, is not told from others.
_ENDED_FOR_MEMORY = re.compile(r"OutOfMemoryError|MemoryError|low on memory|memory pressure")
_FULL_DISK = re.compile(r"OutOfDiskError|No space left on device|Disk quota exceeded")


def reason_of(error: BaseException) -> FailureReason:
    """Why a trial that raised `error` failed."""
    match error:
        case OutdatedError():
            return "lost"
        case TrialTimeoutError():
            return "timeout"
        case DataError():
            return "data"
        case OSError() if error.errno in _FULL:
            return "disk"
        case MemoryError():
            return "memory"
        case OSError() if error.errno == errno.ENOMEM:
            return "memory"
        case RuntimeError() if _NO_MEMORY.search(str(error)):
            return "memory"
        case _:
            return "error"


def reason_of_end(said: str) -> FailureReason:
    """Why a trial failed whose worker ended, from what Ray says of that."""
    if _ENDED_FOR_MEMORY.search(said):
        return "memory"
    return "disk" if _FULL_DISK.search(said) else "lost"
