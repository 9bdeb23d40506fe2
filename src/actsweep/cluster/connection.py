"""A connection to Ray for the length of a block: a cluster of one's own on this machine, or one that is running."""

import logging
import math
import os
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from actsweep.errors import RequestError
from actsweep.plugins import plugin_environment
from actsweep.settings import ClusterSettings, ResourceSettings

OBJECT_STORE_BYTES = 256 * 2**20  # trials exchange plain numbers; images are shared through the page cache
TOKEN_HINT = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH, to those of the cluster"
_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


@dataclass(frozen=True)
class Capacity:
    """What a cluster has.

    Attributes:
        nodes: how many machines.
        slots: how many trials fit at a time, over all nodes.
    """

    nodes: int
    slots: int


@contextmanager
def connected(settings: ClusterSettings, *, debug: bool = False) -> Iterator[Capacity]:
    """Connect to the cluster that `settings` name, and leave it (or end it, if it is our own) at the end of the block.

    A cluster of one's own listens on loopback only, with a token that lives in this process and its children.

    Raises:
        RequestError: no cluster answers at the address, or no node can ever hold one trial.
    """
    own = _own_cluster_environment() if settings.name == "local" else {}
    with _environment({**_ALWAYS, **own}):
        import ray

        level = logging.INFO if debug else logging.CRITICAL
        for name in ("ray", "ray.tune", "ray._private"):
            logging.getLogger(name).setLevel(level)
        try:
            if settings.name == "local":
                cpus = len(os.sched_getaffinity(0))
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    log_to_driver=debug,
                    logging_level=level,
                    runtime_env=_runtime_environment(),
                )
            else:
                ray.init(
                    address=settings.address,
                    log_to_driver=debug,
                    logging_level=level,
                    runtime_env=_runtime_environment(),
                )
        except ray.exceptions.AuthenticationError as error:
            raise RequestError(
                f"cluster.address={settings.address}: the cluster does not accept this token; {TOKEN_HINT}"
            ) from error
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RequestError(_no_answer(settings, error)) from error
        try:
            yield _capacity(settings.resources, [node["Resources"] for node in ray.nodes() if node["Alive"]])
        finally:
            ray.shutdown()


def _no_answer(settings: ClusterSettings, error: Exception) -> str:
    if settings.name == "local":
        return f"cluster=local: Ray does not start on this machine ({first_line(error)}); is it too busy?"
    return f"cluster.address={settings.address}: no Ray cluster answers ({first_line(error)})"


@cache
def _own_cluster_environment() -> dict[str, str]:
    """What a cluster of one's own, and so its workers, start with: the same for all that one process starts.

    Ray keeps what it read when it was imported, so a later cluster with other values would never be reached.
    """
    # Each trial trains in a thread of its own; by itself glibc keeps a heap for each, and a worker's memory doubles.
    own = {"MALLOC_ARENA_MAX": "2"}
    if "ray" in sys.modules:  # which reads the others when it is imported: then the caller's own choice stands
        return own
    return {**own, **_LOOPBACK_ONLY, "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _runtime_environment() -> dict[str, Any]:
    """What workers need to run what the driver runs: its Python, and where the modules of plugins are.

    Ray hands the path of the workers' Python, the driver's own, to a shell as it is: a space must be quoted.
    """
    quoted = shlex.quote(sys.executable)
    python = {} if quoted == sys.executable else {"py_executable": quoted}
    variables = plugin_environment()
    return {**python, "env_vars": variables} if variables else {**python}


def _capacity(asked: ResourceSettings, nodes: list[Mapping[str, float]]) -> Capacity:
    wanted = {name: amount for name, amount in (("CPU", asked.cpu), ("GPU", asked.gpu)) if amount}
    slots = [min(math.floor(node.get(name, 0) / amount + 1e-9) for name, amount in wanted.items()) for node in nodes]
    if not any(slots):
        largest = {name: max(node.get(name, 0) for node in nodes) for name in wanted}
        raise RequestError(
            "cluster.resources: no node can ever run a trial: each asks "
            + " and ".join(f"{amount:g} {name}" for name, amount in wanted.items())
            + "; the most that a node has is "
            + " and ".join(f"{amount:g} {name}" for name, amount in largest.items())
        )
    return Capacity(len(nodes), sum(slots))


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
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


def first_line(error: BaseException) -> str:
    """The gist of a foreign error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
