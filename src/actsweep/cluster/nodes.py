"""Whether the nodes of a cluster can run a study, asked of each before the first trial."""

import platform
import secrets
from importlib import import_module
from pathlib import Path
from typing import Any

from actsweep.cluster.connection import first_line
from actsweep.errors import RequestError

ANSWER_SECONDS = 60.0


def check_nodes(folder: Path) -> None:
    """Refuse nodes that run another actsweep or Python than the driver, or do not see the study's folder.

    Args:
        folder: the study's, which every node has to mount at the same path.

    Raises:
        RequestError: a node does not fit, or does not answer; the message names it.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    mark = folder.absolute() / f".seen-{secrets.token_hex(4)}"
    mark.touch()
    try:
        nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
        ask = ray.remote(about_node)
        answers = {
            ask.options(num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
            .remote(str(mark)): address
            for node, address in nodes.items()
        }  # fmt: skip
        _, silent = ray.wait(list(answers), num_returns=len(answers), timeout=ANSWER_SECONDS)
        for answer, address in answers.items():
            refuse_node(address, None if answer in silent else _answer(answer), folder)
    finally:
        mark.unlink(missing_ok=True)


def about_node(mark: str) -> dict[str, Any]:
    """What a node is asked: its versions, and whether it sees a file."""
    return {"actsweep": _version(), "Python": _python(), "sees": Path(mark).exists()}


def refuse_node(address: str, found: dict[str, Any] | str | None, folder: Path) -> None:
    """Refuse a node for what it answered.

    Args:
        address: the node's.
        found: see `about_node`; a text is why it could not, None that it did not answer in time.
        folder: the study's.

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
    if not found["sees"]:
        raise RequestError(
            f"run.root: the node {address} of the cluster does not see {folder.absolute()}, where trials keep their "
            "checkpoints; choose a folder that all nodes mount at the same path"
        )


def _answer(answer: Any) -> dict[str, Any] | str:
    import ray

    try:
        found: dict[str, Any] = ray.get(answer)
    except ray.exceptions.RayError as error:
        return str(error).strip().splitlines()[-1] if str(error).strip() else first_line(error)
    return found


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _version() -> str:
    return str(import_module("actsweep").__version__)  # whose package offers all of it, so it lies above this module
