"""What the control groups of Linux leave this process, which in a container is less than what the machine has."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


def memory_left(membership: Path = MEMBERSHIP, groups: Path = GROUPS) -> int | None:
    """Bytes that this process and others of its groups may still use; None without a limit.

    What the system keeps of files and would drop under pressure counts as free.
    """
    found = []
    for folder in _folders("memory", membership, groups):
        for limit, usage, reclaimable in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, used = _number(folder / limit), _number(folder / usage)
            if most is not None and used is not None:
                found.append(max(0, most - used + _stat(folder / "memory.stat", reclaimable)))
    return min(found, default=None)


def cpu_quota(membership: Path = MEMBERSHIP, groups: Path = GROUPS) -> float | None:
    """Processors' worth of time that this process may use; None without a limit."""
    found = []
    for folder in _folders("cpu", membership, groups):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            found.append(int(quota) / int(period))
        quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if quota_us is not None and quota_us > 0 and period_us:
            found.append(quota_us / period_us)
    return min(found, default=None)


def _folders(controller: str, membership: Path, groups: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, each with those above it.

    Inside a container a group may bear the name that it has outside, and its folder is then the topmost one.
    """
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "" or controller in controllers.split(","):
                top = groups if controllers == "" else groups / controller
                group = top / path.strip("/")
                yield from (place for place in (group, *group.parents) if place == top or top in place.parents)


def _number(file: Path) -> int | None:
    with suppress(OSError, ValueError):  # without a limit: "max"
        return int(file.read_text())
    return None


def _stat(file: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        values = dict(line.split(maxsplit=1) for line in file.read_text().splitlines())
        return int(values.get(name, 0))
    return 0
