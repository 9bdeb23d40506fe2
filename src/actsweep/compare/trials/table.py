"""All trials of a study with their measures, and the cells that they form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actsweep.compare.statistics.estimates import unit_means
from actsweep.compare.trials.inputs import StratumValue, TrialCurve
from actsweep.curves import FloatArray


@dataclass(frozen=True, eq=False)
class Cell:
    """The n trials of one arm in one stratum and phase, failed ones left out.

    `measures[name]` has shape (n,), NaN for "does not exist"; `unit` (n,) holds the code of each trial's unit of
    resampling, `healthy` (n,) is True for trials that neither diverged nor got stuck.
    """

    arm: str
    unit: NDArray[np.intp]
    lr: FloatArray
    measures: Mapping[str, FloatArray]

    def __getitem__(self, name: str) -> FloatArray:
        return self.measures[name]

    def __len__(self) -> int:
        return len(self.unit)

    @cached_property
    def healthy(self) -> NDArray[np.bool_]:
        """Trials that neither diverged nor got stuck, shape (n,)."""
        healthy: NDArray[np.bool_] = (self["diverged"] == 0) & (self["stuck"] == 0)
        return healthy

    @cached_property
    def healthy_only(self) -> Cell:
        """The cell's healthy trials."""
        return self.only(self.healthy)

    @property
    def failure_share(self) -> float:
        """Share of the trials that diverged or got stuck; NaN without trials."""
        return 1.0 - float(self.healthy.mean()) if len(self) else float("nan")

    def units(self, name: str) -> FloatArray:
        """Unit means of a measure; units that do not have it are left out."""
        return unit_means(self[name], self.unit)

    def known(self, name: str) -> FloatArray:
        """The trials' recorded values of a measure."""
        return self[name][~np.isnan(self[name])]

    def having(self, name: str) -> Cell:
        """The cell's trials that have a measure."""
        return self.only(~np.isnan(self[name]))

    def only(self, keep: NDArray[np.bool_]) -> Cell:
        """The cell's trials where `keep` (n,) is True."""
        kept = {name: values[keep] for name, values in self.measures.items()}
        return Cell(self.arm, self.unit[keep], self.lr[keep], kept)


@dataclass(frozen=True, eq=False)
class Table:
    """N trials in a fixed order, with the codes and measures that cells are made from.

    `arms` has the reference first; `strata` holds the tuples of stratum values that occur. `unit_name` is "block" where
    the replicates form several blocks, else "seed". Each array has shape (N,): `arm` and `stratum` index into `arms`
    and `strata`, `unit` holds codes of the unit of resampling.
    """

    trials: tuple[TrialCurve, ...]
    arms: tuple[str, ...]
    strata: tuple[tuple[StratumValue, ...], ...]
    unit_name: str
    stratum: NDArray[np.intp]
    failed: NDArray[np.bool_]
    measures: Mapping[str, FloatArray]
    arm: NDArray[np.intp]
    unit: NDArray[np.intp]
    phase: NDArray[np.str_]
    lr: FloatArray

    def cell(self, arm: str, stratum: int, phase: str, at_those_of: str | None = None) -> Cell:
        """The trials of `arm` in the stratum of that index and in `phase`.

        With `at_those_of`, another arm, only those at the learning rate of its replicates in the same block.
        """
        keep = self._at(arm, stratum, phase)
        if at_those_of is not None:
            theirs = np.flatnonzero(self._at(at_those_of, stratum, "replicate"))
            rates = {(self.trials[index].block, self.lr[index]) for index in theirs}
            keep &= [(trial.block, lr) in rates for trial, lr in zip(self.trials, self.lr, strict=True)]
        at = np.flatnonzero(keep)
        kept = {name: values[at] for name, values in self.measures.items()}
        sound = kept["diverged"] == 0
        if sound.any() and np.isnan(kept["test_acc"][sound]).all():
            # No test accuracy was read here: chance for the diverged trials alone would be no mean of the cell.
            kept["test_acc"] = np.full(len(at), np.nan)
        return Cell(arm, self.unit[at], self.lr[at], kept)

    def _at(self, arm: str, stratum: int, phase: str) -> NDArray[np.bool_]:
        """Which trials have a result there, shape (N,)."""
        place: NDArray[np.bool_] = (self.arm == self.arms.index(arm)) & (self.stratum == stratum)
        keep: NDArray[np.bool_] = place & (self.phase == phase) & ~self.failed
        return keep


def in_order(trials: Sequence[TrialCurve]) -> list[TrialCurve]:
    """The trials in an order that does not depend on the one they came in."""
    return sorted(
        trials,
        key=lambda t: (
            t.phase,
            t.arm,
            sort_key(t.strata),
            -1 if t.block is None else t.block,
            -1.0 if t.lr is None else t.lr,
            t.seed,
            t.trial_id,
        ),
    )


def make_table(trials: Sequence[TrialCurve], reference: str, measures: Mapping[str, FloatArray]) -> Table:
    """Put trials, as `in_order` sorts them, and their measures (each of shape (N,)) into a table."""
    arms = (reference, *sorted({trial.arm for trial in trials} - {reference}))
    strata = tuple(sorted({trial.strata for trial in trials}, key=sort_key))
    blocks = {trial.block for trial in trials if trial.phase == "replicate" and not trial.failed}
    unit_name = "block" if len(blocks) > 1 else "seed"
    units = [-1 if (value := getattr(trial, unit_name)) is None else value for trial in trials]
    arm_code = {arm: code for code, arm in enumerate(arms)}
    stratum_code = {stratum: code for code, stratum in enumerate(strata)}
    return Table(
        trials=tuple(trials),
        arms=arms,
        strata=strata,
        unit_name=unit_name,
        stratum=np.array([stratum_code[trial.strata] for trial in trials]),
        failed=np.array([trial.failed for trial in trials]),
        measures=measures,
        arm=np.array([arm_code[trial.arm] for trial in trials]),
        unit=np.unique(units, return_inverse=True)[1],
        phase=np.array([trial.phase for trial in trials]),
        lr=np.array([np.nan if trial.lr is None else trial.lr for trial in trials]),
    )


def sort_key(strata: tuple[StratumValue, ...]) -> tuple[tuple[Any, ...], ...]:
    """Order of stratum values: none, then numbers, then text."""
    return tuple((0,) if value is None else (2, value) if isinstance(value, str) else (1, value) for value in strata)
