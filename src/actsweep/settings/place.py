"""Settings of where a study runs and is kept: nothing in them changes a result."""

from typing import Literal, Self

from pydantic import Field, model_validator

from actsweep.settings.base import OneLine, PlainName, PositiveInt, Settings


class RunSettings(Settings):
    """Where a study's folder is: `root/name`."""

    name: PlainName
    root: OneLine = Field(min_length=1)


class ResourceSettings(Settings):
    """What one worker asks of the cluster."""

    cpu: float = Field(gt=0)
    gpu: float = Field(ge=0)


class ClusterSettings(Settings):
    """Where trials run.

    Attributes:
        max_concurrent: trials at a time; null = what the resources allow.
        retries: how often one run of the driver begins a trial again whose worker was lost or ran out of memory.
        side_by_side: how many trials one worker trains at a time, in threads that share its resources.
    """

    name: Literal["local", "ray"]
    address: OneLine | None
    max_concurrent: PositiveInt | None
    retries: int = Field(ge=0, le=100)
    storage: OneLine | None
    side_by_side: int = Field(ge=1, le=100)
    resources: ResourceSettings

    @model_validator(mode="after")
    def _address_is_of_ray(self) -> Self:
        if self.name == "ray" and not self.address:
            raise ValueError("cluster.address is needed with cluster=ray: an address such as 10.0.0.5:6379, or auto")
        if self.name == "local" and self.address:
            raise ValueError(
                f"cluster.address={self.address} would have no effect: cluster=local starts a Ray of its own; "
                "choose cluster=ray for the one at that address"
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
