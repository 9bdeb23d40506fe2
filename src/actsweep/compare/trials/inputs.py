"""What an analysis is given: trials with their curves, and how to compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from actsweep.curves import Curve
from actsweep.errors import RequestError

StratumValue = int | float | str | None


@dataclass(frozen=True, eq=False)
class TrialCurve:
    """One trial's place in the study, and its curve.

    `arm` is the factor's value; `strata` holds one value per stratum column (empty, or None inside, where the column is
    absent). `phase` is tune, replicate or cross.
    """

    trial_id: str
    phase: str
    arm: str
    strata: tuple[StratumValue, ...]
    lr: float | None
    seed: int
    block: int | None
    curve: Curve

    @property
    def failed(self) -> bool:
        """Whether the trial failed: no result, left out of everything but the count and the list."""
        return self.curve.status == "failed"


@dataclass(frozen=True)
class AnalysisOptions:
    """How a study's trials are compared.

    `factor` and `stratum` name the columns that the arms and the strata come from. `horizon` (epochs) cuts the curves
    first; None takes the replicates' own. Targets are accuracies; None derives them. `level` is that of one interval;
    None takes the one that holds 95 % over the whole family. `looks` counts how often the study's results were looked
    at, extensions included. `measures` are further measures of a trial by name, each a function of its curve.

    Raises:
        RequestError: a value out of its range.
    """

    name: str
    reference: str
    classes: int
    factor: str = "activation"
    stratum: tuple[str, ...] = ("depth",)
    horizon: float | None = None
    target_hi: float | None = None
    target_lo: float | None = None
    level: float | None = None
    looks: int = 1
    measures: Mapping[str, Callable[[Curve], float | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise RequestError(f"--classes must be 2 or more, not {self.classes}")
        for option, value in (("--target-hi", self.target_hi), ("--target-lo", self.target_lo)):
            if value is not None and not 0.0 <= value <= 1.0:
                raise RequestError(f"{option} must be a fraction from 0 to 1, not {value:g}")
        if self.target_hi is not None and self.target_lo is not None and self.target_lo > self.target_hi:
            raise RequestError(
                f"--target-lo must be at most --target-hi: {self.target_lo:g} is above {self.target_hi:g}"
            )
        if self.level is not None and not 0.0 < self.level < 1.0:
            raise RequestError(f"--level must lie between 0 and 1, both excluded, not {self.level:g}")
        if self.horizon is not None and not self.horizon > 0:
            raise RequestError(f"--horizon must be an epoch above 0, not {self.horizon:g}")
        if self.looks < 1:
            raise RequestError(f"looks must be 1 or more, not {self.looks}")
