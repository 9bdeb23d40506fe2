"""The address space that a command needs, asked before anything large is imported and could end in the middle."""

import resource

from actsweep.errors import RequestError

# GiB, measured: with less, imports of libraries fail, or Ray's processes are aborted in the middle of a small study.
TABLES = 1
TORCH = 5
RAY = 6


def require_address_space(command: str, needed: int) -> None:
    """Refuse a command that the shell's limit leaves too little for.

    Args:
        command: its name.
        needed: GiB.

    Raises:
        RequestError: `ulimit -v` allows less.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < needed * 2**30:
        raise RequestError(
            f"ulimit -v: {allowed / 2**30:.3g} GiB of address space are allowed, and {command} needs {needed} GiB; "
            "ulimit -v unlimited lifts the limit"
        )
