"""The decoded images of a study on all nodes of a cluster: the driver's node has them, and others ask for them once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actsweep.data import Source
from actsweep.data.elsewhere import Pixels, brought, pixels_of
from actsweep.errors import DataError


@contextmanager
def shared_images(source: Source) -> Iterator[None]:
    """Let workers on other nodes have the images for the length of the block, through Ray's object store."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    holder = ray.remote(_Holder).options(name=_name(), num_cpus=0, scheduling_strategy=here).remote(asdict(source))
    try:
        yield
    finally:
        ray.kill(holder)


def source_here(fields: dict[str, Any]) -> Source:
    """A source, given by its fields, on the node of this worker.

    Raises:
        DataError: the images are not here, and cannot be had.
    """
    return brought(Source(**fields), _asked)


def _asked() -> Pixels:
    try:
        holder = ray.get_actor(_name())
    except ValueError as error:
        raise DataError("the decoded images of the study are not on this node any more; start again") from error
    notes, kept = ray.get(holder.images.remote())
    return notes, ray.get(kept)


def _name() -> str:
    return f"actsweep-images-{ray.get_runtime_context().get_job_id()}"


class _Holder:
    """Puts the images into the object store when the first node asks."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._source = Source(**fields)
        self._kept: Any = None

    def images(self) -> tuple[dict[str, Any], Any]:
        notes, pixels = pixels_of(self._source)
        if self._kept is None:
            self._kept = ray.put(pixels)
        return notes, self._kept
