"""Why a trial failed whose worker ended, told from what Ray says of that."""

import re

from actsweep.events import FailureReason

# Ray's own words; the kernel's OOM killer, which it names as a possible cause of any SIGKILL, is not told from others.
_ENDED_FOR_MEMORY = re.compile(r"OutOfMemoryError|MemoryError|low on memory|memory pressure")
_FULL_DISK = re.compile(r"OutOfDiskError|No space left on device|Disk quota exceeded")


def reason_of_end(said: str) -> FailureReason:
    """Why a trial failed whose worker ended, from what Ray says of that."""
    if _ENDED_FOR_MEMORY.search(said):
        return "memory"
    return "disk" if _FULL_DISK.search(said) else "lost"
