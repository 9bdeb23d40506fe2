"""What this machine lacks for a given experiment."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from rich.console import RenderableType
from rich.text import Text

from actsweep.cluster import (
    Node,
    access_notes,
    asked_nodes,
    connected,
    is_job_server,
    refuse_node,
    require_cluster,
    shown,
)
from actsweep.data import download_ahead
from actsweep.errors import ActsweepError
from actsweep.plural import count
from actsweep.report.terminal.tables import plain_table
from actsweep.report.wording import clean, size
from actsweep.run.data import prepared
from actsweep.run.disk import existing, free_bytes
from actsweep.run.plan import concurrency, make_plan
from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.system.container import memory_left
from actsweep.system.devices import cores, cuda_devices
from actsweep.tracker import LOGIN_HINT, has_key

PYTHONS = ((3, 11), (3, 14))
WORKER_BYTES = 800 * 10**6  # of one process that trains, its libraries included
_PACKAGES = ("torch", "torchvision", "pytorch-lightning", "ray", "optuna", "hydra-core", "wandb", "numpy", "pyarrow")
_SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class Check:
    """One thing that an experiment needs.

    Attributes:
        name: what it is.
        ok: whether it is there.
        found: what is there.
        hint: what to do where it is not.
        later: whether the sweep brings it itself, so that it is not missing either.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""
    later: bool = False


def examine(config: StudyConfig) -> list[Check]:
    """Check everything that an experiment needs; nothing is downloaded, and nothing but the data cache stays.

    Raises:
        RequestError: the study itself is not accepted.
    """
    study = Study(config)
    data = _data(study)
    return [
        _python(),
        _packages(),
        *_devices(study),
        *_ray(config),
        _tracker(config),
        data,
        _disk(config, data),
        *memory_checks(config),
    ]


def checks_table(checks: Sequence[Check]) -> RenderableType:
    """The checks, a line each, with a hint for what is missing."""
    table = plain_table("needed", "", "found")
    for check in checks:
        said = check.found if check.ok else f"{check.found}; {check.hint}"
        state = "later" if check.later else "ok" if check.ok else "missing"
        table.add_row(Text(check.name), Text(state, style="" if check.ok else "red"), Text(clean(said)))
    return table


def memory_checks(config: StudyConfig) -> Iterator[Check]:
    """What trials on this machine need of its memory, as far as a container leaves it to us."""
    if config.cluster.name != "local":
        return
    needed, free = WORKER_BYTES * concurrency(config), psutil.virtual_memory().available
    within = memory_left()
    if within is not None:
        free = min(free, within)
    hint = "lower cluster.max_concurrent"
    yield Check("memory", free >= needed, f"{size(free)} free, about {size(needed)} needed", hint)
    store = config.cluster.object_store * 2**20
    shared = shutil.disk_usage(_SHARED).free if _SHARED.is_dir() else 0
    yield Check(
        "shared memory",
        shared >= store,
        f"{size(shared)} free, {size(store)} needed",
        "enlarge /dev/shm, in a container by --shm-size=512m, or lower cluster.object_store",
    )


def _python() -> Check:
    first, beyond = PYTHONS
    ok = first <= sys.version_info[:2] < beyond
    wanted = f"use a Python from {first[0]}.{first[1]} on and below {beyond[0]}.{beyond[1]}"
    return Check("Python", ok, ".".join(map(str, sys.version_info[:3])), wanted)


def _packages() -> Check:
    found, missing = [], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Check(
            "packages", False, f"not installed: {', '.join(missing)}", "install actsweep with its dependencies"
        )
    return Check("packages", True, ", ".join(found))


def _devices(study: Study) -> Iterator[Check]:
    asked = study.config.cluster.resources
    if study.config.cluster.name == "local":
        hint = f"lower cluster.resources.cpu={asked.cpu:g} and trainer.threads"
        yield Check("cores", cores() >= asked.cpu, f"{cores()}, of which a trial takes {asked.cpu:g}", hint)
    if any(trial.trainer.accelerator == "gpu" for trial in study.extreme_trials()):
        names = cuda_devices()
        found = ", ".join(names) if names else "no CUDA device is visible"
        yield Check("GPU", bool(names), found, "install the driver, or train on the processor: trainer=cpu")


def _ray(config: StudyConfig) -> Iterator[Check]:
    cluster = config.cluster
    local = cluster.name == "local"
    if not local:
        address = str(cluster.address)
        try:
            require_cluster(address)
        except ActsweepError as error:
            yield Check("Ray cluster", False, str(error), "or choose cluster=local")
            return
        yield Check("Ray cluster", True, "; ".join((f"{address} answers", *access_notes(address))))
        if is_job_server(address):
            yield Check("nodes", True, "asked once the job runs")
            return
    try:
        with connected(cluster) as capacity:
            yield Check("Ray", True, f"{'starts' if local else 'serves'}; {count(capacity.slots, 'trial')} at a time")
            if not local:
                yield from _nodes(cluster.checkpoints or str(existing(Path(config.run.root))))
    except ActsweepError as error:
        yield Check("Ray", False, str(error), "ask for less in cluster.resources, or see --debug")


def _nodes(place: str) -> Iterator[Check]:
    """What each node of a cluster offers, and whether it could run the study, whose trials' files are at a place."""
    for node in asked_nodes(place):
        try:
            refuse_node(node.address, node.found, place)
        except ActsweepError as error:
            yield Check(f"node {node.address}", False, str(error), "or take it out of the cluster")
        else:
            yield Check(f"node {node.address}", True, _offer(node))


def _offer(node: Node) -> str:
    amounts = {
        name: amount for name, amount in node.resources.items() if not name.startswith(("node:", "object_store"))
    }
    gpus = node.found.get("GPUs", []) if isinstance(node.found, dict) else []
    return "; ".join((shown(amounts), *gpus))


def _tracker(config: StudyConfig) -> Check:
    if config.tracker.name != "wandb_online":
        return Check("W&B", True, f"no login needed with tracker={config.tracker.name}")
    return Check("W&B", has_key(), "a key is there" if has_key() else "no key", LOGIN_HINT)


def _data(study: Study) -> Check:
    try:
        if awaited := download_ahead(study.config.data):
            where = f"{awaited.file.name} will be downloaded to {awaited.file.parent}, {size(awaited.size)}"
            return Check("data", True, f"not here yet: {where}", later=True)
        source = prepared(study)
    except ActsweepError as error:
        return Check("data", False, str(error), "see docs/data.md")
    return Check("data", True, f"{source.label}, {count(len(source.classes), 'class', 'classes')}")


def _disk(config: StudyConfig, data: Check) -> Check:
    if not data.ok:
        return Check("disk", False, "not known without the data", "settle the data first")
    free = free_bytes(Path(config.run.root))
    if data.later:
        told = f"{size(free)} free; what is needed is known once the data are here: actsweep plan"
        return Check("disk", True, told, later=True)
    needed = make_plan(config).disk.total
    hint = "free some, ask for less, or choose another run.root"
    return Check("disk", free >= needed, f"{size(free)} free, {size(needed)} needed", hint)
