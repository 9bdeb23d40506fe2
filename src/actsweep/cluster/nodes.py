"""Whether the nodes of a cluster can run a study, asked of each before the first trial."""

import platform
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from actsweep.cluster.connection import first_line
from actsweep.errors import RemoteError, RequestError
from actsweep.system.remote import RemoteFolder, is_remote

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Node:
    """A node of the cluster, and what it answered.

    Attributes:
        address: its IP address.
        resources: amounts by Ray's names of resources.
        found: see `about_node`; a text is why it could not answer, None that it did not in time.
    """

    address: str
    resources: Mapping[str, float]
    found: dict[str, Any] | str | None


def check_nodes(place: str) -> None:
    """Refuse nodes that run another actsweep or Python than the driver, or do not see where trials keep their files.

    Args:
        place: the study's folder, which every node then has to mount at the same path, or an address.

    Raises:
        RequestError: a node does not fit, or does not answer; the message names it.
    """
    for node in asked_nodes(place):
        refuse_node(node.address, node.found, place)


def asked_nodes(place: str) -> list[Node]:
    """All living nodes of the cluster that this process is connected to, asked at the same time.

    Args:
        place: see `check_nodes`.

    Raises:
        RequestError: the driver itself cannot write there.
    """
    try:
        with _marked(place) as mark:
            return _asked(mark)
    except RemoteError as error:
        raise RequestError(f"cluster.checkpoints: {error}") from error


def cluster_resources() -> dict[str, float]:
    """What the cluster that this process is connected to has in all, by Ray's names of resources."""
    import ray

    return {str(name): float(amount) for name, amount in ray.cluster_resources().items()}


@contextmanager
def _marked(place: str) -> Iterator[str]:
    """A file in a folder, or at an address, for the length of the block."""
    name = f".seen-{secrets.token_hex(4)}"
    if is_remote(place):
        folder = RemoteFolder(place) / name
        folder.write("mark", b"")
        try:
            yield folder.address
        finally:
            folder.remove()
    else:
        file = Path(place).absolute() / name
        file.touch()
        try:
            yield str(file)
        finally:
            file.unlink(missing_ok=True)


def _asked(mark: str) -> list[Node]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    ask = ray.remote(about_node)
    answers = [
        ask.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        ).remote(mark)
        for node in nodes
    ]
    _, silent = ray.wait(answers, num_returns=len(answers), timeout=ANSWER_SECONDS)
    return [
        Node(node["NodeManagerAddress"], node["Resources"], None if answer in silent else _answer(answer))
        for node, answer in zip(nodes, answers, strict=True)
    ]


def about_node(mark: str) -> dict[str, Any]:
    """What a node is asked: its versions, its GPUs by name, and whether it sees a file."""
    return {"actsweep": _version(), "Python": _python(), "GPUs": _gpus(), "sees": _sees(mark)}


def _sees(mark: str) -> bool:
    if not is_remote(mark):
        return Path(mark).exists()
    try:
        return bool(RemoteFolder(mark).files())
    except RemoteError:
        return False


def refuse_node(address: str, found: dict[str, Any] | str | None, place: str) -> None:
    """Refuse a node for what it answered.

    Args:
        address: the node's.
        found: see `about_node`; a text is why it could not, None that it did not answer in time.
        place: see `check_nodes`.

    Raises:
        RequestError: it does not fit.
    """
    if found is None:
        raise RequestError(f"the node {address} of the cluster did not answer within {ANSWER_SECONDS:g} seconds")
    if isinstance(found, str):
        raise RequestError(f"the node {address} of the cluster cannot run actsweep: {found}")
    for name, here in (("actsweep", _version()), ("Python", _python())):
        if found[name] != here:
            raise RequestError(
                f"the node {address} of the cluster has {name} {found[name]}, and the driver {here}: install the same "
                "on all of them"
            )
    if found["sees"]:
        return
    if is_remote(place):
        raise RequestError(
            f"cluster.checkpoints: the node {address} of the cluster cannot read {place}; every node needs the way "
            "there, and credentials"
        )
    raise RequestError(
        f"run.root: the node {address} of the cluster does not see {Path(place).absolute()}, where trials keep their "
        "checkpoints; choose a folder that all nodes mount at the same path, or "
        "cluster.checkpoints=s3://BUCKET/FOLDER"
    )


def _answer(answer: Any) -> dict[str, Any] | str:
    import ray

    try:
        found: dict[str, Any] = ray.get(answer)
    except ray.exceptions.RayError as error:
        return str(error).strip().splitlines()[-1] if str(error).strip() else first_line(error)
    return found


def _gpus() -> list[str]:
    """By NVIDIA's own tool: to ask torch would load it, and a process that is given no GPU sees none."""
    asked = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
        return [line.strip() for line in said.splitlines() if line.strip()]
    return []


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _version() -> str:
    return str(import_module("actsweep").__version__)  # whose package offers all of it, so it lies above this module
