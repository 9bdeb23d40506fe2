"""What Ray reads from the environment when it is imported, and when it starts."""

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_FORCE_TRIAL_CLEANUP_S": "5",  # by default an interrupted sweep may wait ten minutes for a stuck worker
}
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


@cache
def own_cluster_environment() -> dict[str, str]:
    """What a cluster of one's own, and so its workers, start with: the same for all that one process starts.

    Ray keeps the token that it read first, so a later cluster with another one would never be reached.
    """
    # Each trial trains in a thread of its own; by itself glibc keeps a heap for each, and a worker's memory doubles.
    return {**_LOOPBACK_ONLY, "MALLOC_ARENA_MAX": "2", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the length of a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def read_again() -> None:
    """Let Ray see the environment as it is now where something, such as a plugin, imported it before.

    Ray has no public way to do so; without it, a cluster of one's own would listen on all interfaces.
    """
    if "ray" in sys.modules:
        from ray._private import ray_constants
        from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]  # compiled

        ray_constants.ENABLE_RAY_CLUSTER = os.environ.get("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER") != "0"
        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()
