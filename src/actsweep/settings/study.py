"""Settings of what is asked: the study itself, its search and its scheduler."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from actsweep.settings.base import PositiveInt, Settings, Share

MOST_TRIALS = 1_000_000_000


class TuneSettings(Settings):
    """The tune phase: `blocks` independent searches of `points` trials per cell.

    Attributes:
        spare: share of the points that are never stopped early, so that the results can say what stopping cost.
        widen: how often a range may grow while a cell's best value lies at its edge.
    """

    blocks: PositiveInt
    points: PositiveInt
    spare: Share
    widen: int = Field(ge=0, le=10)


class ReplicateSettings(Settings):
    """The replicate phase: fresh seeds per block, at the block's best nuisance values.

    Attributes:
        cross: whether every arm is also trained at the other arm's chosen values.
    """

    seeds: PositiveInt
    cross: bool


class TargetSettings(Settings):
    """Validation accuracies to reach; null = derived from the replicates."""

    hi: Share | None
    lo: Share | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.hi is not None and self.lo is not None and self.lo > self.hi:
            raise ValueError(f"study.target.lo={self.lo} is above study.target.hi={self.hi}")
        return self


class StudySettings(Settings):
    """What is asked (scientific), what is tuned to make it fair (nuisance), and how often."""

    scientific: dict[str, Any]
    arms: dict[str, dict[str, Any]] | None
    nuisance: dict[str, Any]
    factor: str | None
    reference: str | int | float | bool | None
    tune: TuneSettings
    replicate: ReplicateSettings
    target: TargetSettings
    measure_cost: bool
    max_trials: int = Field(gt=0, le=MOST_TRIALS)
    seed: int = Field(ge=0, lt=2**63)


Drawn = Literal["sobol", "random", "grid"]
"""The searches whose points are all known before any trial runs."""


class SearchSettings(Settings):
    """How nuisance points are proposed.

    Attributes:
        startup: Sobol points that come before the first that learns from earlier ones; of `tpe` only.
    """

    name: Literal[Drawn, "tpe"]
    startup: PositiveInt | None = None

    @model_validator(mode="after")
    def _startup_is_of_tpe(self) -> Self:
        if (self.name == "tpe") != (self.startup is not None):
            raise ValueError("search.startup is a setting of search=tpe, which needs it, and of no other search")
        return self


class SchedulerSettings(Settings):
    """Whether tune trials may be stopped early.

    Attributes:
        grace: epochs that every trial may run; of `asha` only.
        reduction: at each rung the best 1 / reduction of a cell's trials go on; of `asha` only.
    """

    name: Literal["none", "asha"]
    grace: PositiveInt | None = None
    reduction: Annotated[int, Field(ge=2)] | None = None

    @model_validator(mode="after")
    def _rungs_are_of_asha(self) -> Self:
        for setting in ("grace", "reduction"):
            if (self.name == "asha") != (getattr(self, setting) is not None):
                raise ValueError(
                    f"scheduler.{setting} is a setting of scheduler=asha, which needs it, and of no other scheduler"
                )
        return self
