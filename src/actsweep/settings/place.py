"""Settings of where a study runs and is kept: nothing in them changes a result."""

from typing import Literal, Self

from pydantic import Field, model_validator

from actsweep.settings.base import OneLine, PlainName, PositiveInt, Settings
from actsweep.system.remote import check_address, is_remote


class RunSettings(Settings):
    """Where a study's folder is: `root/name`."""

    name: PlainName
    root: OneLine = Field(min_length=1)

    @model_validator(mode="after")
    def _root_is_a_path(self) -> Self:
        _refuse_address("run.root", self.root)
        return self


def _refuse_address(option: str, place: str) -> None:
    if is_remote(place):
        raise ValueError(
            f"{option}={place}: must be a folder of this machine; cluster.copy_to={place} has the finished study copied"
        )


RAYS_OWN = ("CPU", "GPU", "memory", "object_store_memory")


class ResourceSettings(Settings):
    """What one worker asks of the cluster.

    Attributes:
        memory: GiB of main memory, which Ray then reckons with; null = Ray does not.
        custom: amounts of resources that the cluster's owner has named, such as {fast_disk: 1}.
    """

    cpu: float = Field(gt=0)
    gpu: float = Field(ge=0)
    memory: float | None = Field(default=None, gt=0)
    custom: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _amounts_are_whole_where_ray_wants_them(self) -> Self:
        if self.gpu > 1 and self.gpu != int(self.gpu):
            raise ValueError(f"cluster.resources.gpu={self.gpu:g}: above 1 it must be a whole number of GPUs")
        for name, amount in self.custom.items():
            if not name or name in RAYS_OWN or name.startswith("node:"):
                raise ValueError(f"cluster.resources.custom: {name!r} is no name for a resource of one's own")
            if amount <= 0 or (amount > 1 and amount != int(amount)):
                raise ValueError(
                    f"cluster.resources.custom.{name}={amount:g}: must be a share below 1, or a whole number"
                )
        return self


class ClusterSettings(Settings):
    """Where trials run.

    Attributes:
        max_concurrent: trials at a time; null = what the resources allow.
        retries: how often one run of the driver begins a trial again whose worker was lost or ran out of memory.
        copy_to: an address such as s3://bucket/folder, below which the study's folder is copied when the sweep ends.
        checkpoints: an address such as s3://bucket/folder for trials' checkpoints, where nodes do not all see the
            study's folder.
        min_nodes: how many nodes to wait for before the first trial.
        object_store: MiB of shared memory for what nodes and processes exchange, in a Ray of one's own.
        side_by_side: how many trials one worker trains at a time, in threads that share its resources.
    """

    name: Literal["local", "ray"]
    address: OneLine | None
    max_concurrent: PositiveInt | None
    retries: int = Field(ge=0, le=100)
    storage: OneLine | None
    copy_to: OneLine | None = None
    checkpoints: OneLine | None = None
    min_nodes: PositiveInt = 1
    object_store: int = Field(default=256, ge=80)
    side_by_side: int = Field(ge=1, le=100)
    resources: ResourceSettings

    @model_validator(mode="after")
    def _storages_are_addresses(self) -> Self:
        if self.storage is not None:
            _refuse_address("cluster.storage", self.storage)
        for option in ("copy_to", "checkpoints"):
            place = getattr(self, option)
            if place is not None:
                check_address(f"cluster.{option}", place)
        return self

    @model_validator(mode="after")
    def _address_is_of_ray(self) -> Self:
        if self.name == "ray" and not self.address:
            raise ValueError("cluster.address is needed with cluster=ray: an address such as 10.0.0.5:6379, or auto")
        if self.name == "local" and self.address:
            raise ValueError(
                f"cluster.address={self.address} would have no effect: cluster=local starts a Ray of its own; "
                "choose cluster=ray for the one at that address"
            )
        if self.name == "local" and self.min_nodes > 1:
            raise ValueError(f"cluster.min_nodes={self.min_nodes}: cluster=local is one node; choose cluster=ray")
        if self.name == "local" and self.checkpoints:
            raise ValueError(
                f"cluster.checkpoints={self.checkpoints}: with cluster=local all workers see the study's folder; "
                "choose cluster=ray"
            )
        return self


class TrackerSettings(Settings):
    """Where runs are mirrored for review.

    Attributes:
        alert: whether W&B tells people when the study ends, fails or stalls.
        artifacts: whether the weights of each cell's best replicate are kept as W&B artifacts.
    """

    name: Literal["none", "wandb_offline", "wandb_online"]
    project: OneLine = Field(min_length=1, max_length=128)
    entity: OneLine | None
    alert: bool = False
    artifacts: Literal["none", "best"] = "none"
