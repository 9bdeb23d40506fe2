"""A connection to Ray for the length of a block: a cluster of one's own on this machine, or one that is running."""

import fcntl
import logging
import math
import os
import resource
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actsweep.cluster.access import TOKEN_HINT, token_environment
from actsweep.cluster.admission import is_job_server, require_cluster
from actsweep.cluster.environment import ALWAYS, environment, own_cluster_environment, read_again
from actsweep.cluster.reach import resolved
from actsweep.cluster.request import shown, worker_request
from actsweep.errors import RequestError
from actsweep.plugins import plugin_environment
from actsweep.settings import ClusterSettings, ResourceSettings
from actsweep.system.devices import cores

MEBIBYTE = 2**20
ENOUGH_FILES = 256
NODES_SECONDS = 600.0  # for machines that are still starting
LOOK_SECONDS = 1.0
_FOLDER = "actsweep-ray-"
_KEPT_FOLDER = "actsweep-debug-"
_SHORT = "/tmp"  # the path of a socket in it may have 107 bytes, which some other temporary folder may exceed


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
def connected(
    settings: ClusterSettings, *, debug: bool = False, told: Callable[[str], None] = lambda text: None
) -> Iterator[Capacity]:
    """Connect to the cluster that `settings` name, and leave it (or end it, if it is our own) at the end of the block.

    A cluster of one's own listens on loopback only, with a token that lives in this process and its children, and keeps
    its files in a folder that no other user can enter.

    Args:
        settings: `cluster`.
        debug: whether Ray's own messages are let through.
        told: what is waited for.

    Raises:
        RequestError: no cluster answers at the address, it is off this machine and there is no token for it, too few
            nodes come, or none can ever hold one trial.
    """
    with (
        _own_cluster(settings, debug) if settings.name == "local" else _running_cluster(str(settings.address)) as asked
    ):
        import ray

        read_again()
        level = logging.INFO if debug else logging.CRITICAL
        for name in ("ray", "ray.tune", "ray._private"):
            logging.getLogger(name).setLevel(level)
        try:
            ray.init(log_to_driver=debug, logging_level=level, runtime_env=_runtime_environment(), **asked)
        except ray.exceptions.AuthenticationError as error:
            raise RequestError(
                f"cluster.address={settings.address}: the cluster does not accept this token; {TOKEN_HINT}"
            ) from error
        except Exception as error:  # Ray raises its own, Python's, and where the machine is too slow a bare Exception
            raise RequestError(_no_answer(settings, error)) from error
        try:
            yield _capacity(settings.resources, [node["Resources"] for node in _nodes(settings, told)])
        finally:
            ray.shutdown()


def _nodes(settings: ClusterSettings, told: Callable[[str], None]) -> list[dict[str, Any]]:
    """The living nodes, once there are as many as the settings ask for."""
    import ray

    until, said = time.monotonic() + NODES_SECONDS, 0
    while len(alive := [node for node in ray.nodes() if node["Alive"]]) < settings.min_nodes:
        if time.monotonic() > until:
            raise RequestError(
                f"cluster.min_nodes={settings.min_nodes}: the cluster had {len(alive)} after {NODES_SECONDS:g} seconds"
            )
        if len(alive) != said:
            said = len(alive)
            told(f"waiting for nodes: {said} of {settings.min_nodes} are there")
        time.sleep(LOOK_SECONDS)
    return alive


@contextmanager
def _own_cluster(settings: ClusterSettings, debug: bool) -> Iterator[dict[str, Any]]:
    """What `ray.init` is asked for a cluster of one's own; its folder stays only where its logs may be wanted."""
    _remove_stale_folders()
    closed, lock = _locked_folder(_KEPT_FOLDER if debug else _FOLDER)
    folder = str(Path(closed) / "ray")  # which Ray opens to all
    try:
        with environment({**ALWAYS, **own_cluster_environment()}):
            yield {
                "address": "local",
                "num_cpus": cores(),
                "include_dashboard": False,
                "object_store_memory": settings.object_store * MEBIBYTE,
                "_temp_dir": folder,
            }
    finally:
        if debug:
            print(f"Ray's own logs: {folder}", file=sys.stderr)  # noqa: T201
        else:
            shutil.rmtree(closed, ignore_errors=True)
        os.close(lock)


def _locked_folder(prefix: str) -> tuple[str, int]:
    """A new folder that no other user can enter, and a lock on it, which ends with this process."""
    while True:
        folder = tempfile.mkdtemp(prefix=prefix, dir=_SHORT)
        with suppress(FileNotFoundError, BlockingIOError):  # another command took it for a stale one just now
            lock = _lock(folder)
            if Path(folder).exists():
                return folder, lock
            os.close(lock)


def _lock(folder: str) -> int:
    """A process id would not do: commands in two containers may share the folder, but not the numbers."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _remove_stale_folders() -> None:
    """Those of this user's commands that were killed, and could not remove them."""
    for path in Path(_SHORT).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            if path.lstat().st_uid == os.getuid():
                lock = _lock(str(path))
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


@contextmanager
def _running_cluster(address: str) -> Iterator[dict[str, Any]]:
    """What `ray.init` is asked for a cluster that is running."""
    if is_job_server(address):
        raise RequestError(f"cluster.address={address}: this is the address of a job server, for `actsweep submit`")
    require_cluster(address)
    with environment({**ALWAYS, **token_environment()}):
        yield {"address": resolved(address)}


def _no_answer(settings: ClusterSettings, error: Exception) -> str:
    if settings.name == "local":
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        why = f"are {files} open files (ulimit -n) too few" if files < ENOUGH_FILES else "is it too busy"
        return f"cluster=local: Ray does not start on this machine ({first_line(error)}); {why}?"
    said = str(error)
    if said.startswith("Version mismatch"):  # Ray's own words, a version a line
        return f"cluster.address={settings.address}: {' '.join(said.split())}"
    return f"cluster.address={settings.address}: no Ray cluster answers ({first_line(error)})"


def _runtime_environment() -> dict[str, Any]:
    """What workers need to run what the driver runs: its Python, and where the modules of plugins are.

    Ray hands the path of the workers' Python, the driver's own, to a shell as it is: a space must be quoted.
    """
    quoted = shlex.quote(sys.executable)
    python = {} if quoted == sys.executable else {"py_executable": quoted}
    variables = plugin_environment()
    return {**python, "env_vars": variables} if variables else {**python}


def _capacity(asked: ResourceSettings, nodes: list[Mapping[str, float]]) -> Capacity:
    wanted = worker_request(asked)
    slots = [min(math.floor(node.get(name, 0) / amount + 1e-9) for name, amount in wanted.items()) for node in nodes]
    if not any(slots):
        largest = {name: max(node.get(name, 0) for node in nodes) for name in wanted}
        raise RequestError(
            f"cluster.resources: no node can ever run a trial: each asks {shown(wanted)}; the most that a node has is "
            f"{shown(largest)}"
        )
    return Capacity(len(nodes), sum(slots))


def first_line(error: object) -> str:
    """The gist of a foreign error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
