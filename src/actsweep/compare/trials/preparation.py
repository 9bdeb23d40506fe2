"""From trials to a table of measures: order, horizon, and what the measures of all trials depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actsweep.compare.trials.inputs import AnalysisOptions, TrialCurve
from actsweep.compare.trials.own_measures import own_measures
from actsweep.compare.trials.table import Table, in_order, make_table
from actsweep.compare.trials.targets import Target, find_target
from actsweep.curves import FloatArray, Stack, cut, first_bad, measure, measure_targets, stack
from actsweep.errors import RequestError, TableError


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that comparing needs: the table of measures, the horizon (epochs) and each stratum's targets.

    `problems` are sentences on measures of plugins that failed.
    """

    table: Table
    horizon: float
    targets: tuple[Target, ...]
    gap_end_against: str
    has_start: bool
    problems: tuple[str, ...]


def prepare(trials: Sequence[TrialCurve], options: AnalysisOptions) -> Prepared:
    """Measure all trials up to the horizon and find the targets.

    Raises:
        RequestError: fewer than two arms, or a reference that is none of them.
        TableError: replicates that do not all end at one evaluated epoch.
    """
    _check_arms(trials, options)
    trials = in_order(trials)
    if options.horizon is not None:
        trials = [t if t.failed else replace(t, curve=cut(t.curve, options.horizon)) for t in trials]
    curves = stack([trial.curve for trial in trials])
    replicate = np.array([trial.phase == "replicate" and not trial.failed for trial in trials])
    horizon = _horizon(trials, curves, replicate, options)
    measured = measure(curves, horizon, options.classes)
    has_start = bool((curves["epoch"][:, 0] == 0).any())
    if not has_start:
        measured["nauc"] = np.full(len(trials), np.nan)
    against = _gap_basis(curves, measured["diverged"] == 1, replicate)
    measured["gap_end"] = measured["gap_end_test" if against == "test" else "gap_end_val"]
    own, problems = own_measures(trials, options.measures)
    measured |= own
    table = make_table(trials, options.reference, measured)
    _fill_horizon(table, measured)
    targets = tuple(
        find_target(
            [table.cell(arm, code, "replicate") for arm in table.arms],
            options.classes,
            options.target_hi,
            options.target_lo,
        )
        for code in range(len(table.strata))
    )
    by_trial = {
        name: np.array([getattr(t, name) for t in targets])[table.stratum] for name in ("hi", "lo", "loss_match")
    }
    loss_match = by_trial.pop("loss_match")
    table = replace(table, measures=measured | measure_targets(curves, measured, by_trial, loss_match))
    return Prepared(table, horizon, targets, against, has_start, problems)


def _check_arms(trials: Sequence[TrialCurve], options: AnalysisOptions) -> None:
    arms = sorted({trial.arm for trial in trials})
    if len(arms) < 2:
        raise RequestError(f"{options.factor} needs at least two values to compare, found {', '.join(arms) or 'none'}")
    if options.reference not in arms:
        raise RequestError(f"--reference {options.reference} is no {options.factor} here: choose {', '.join(arms)}")
    if all(trial.failed for trial in trials):
        raise TableError("every trial failed: there is nothing to analyse")


def _horizon(
    trials: Sequence[TrialCurve], curves: Stack, replicate: NDArray[np.bool_], options: AnalysisOptions
) -> float:
    """The epoch that every replicate which did not diverge ends at."""
    last = curves.final("epoch")
    diverged = first_bad(curves, options.classes) < curves["epoch"].shape[1]
    complete = np.flatnonzero(replicate & ~diverged)
    if options.horizon is not None:
        for index in complete[last[complete] != options.horizon]:
            raise TableError(
                f"--horizon {options.horizon:g} must be an epoch at which every replicate was evaluated; "
                f"trial {trials[index].trial_id} was not"
            )
        return options.horizon
    if len(complete) == 0:
        rest = replicate if replicate.any() else np.array([not trial.failed for trial in trials])
        complete = np.flatnonzero(rest)
        horizon = float(np.fmax.reduce(last[complete]))
    else:
        horizon = float(last[complete].max())
        for index in complete[last[complete] != horizon]:
            raise TableError(
                f"replicates end at different epochs (trial {trials[index].trial_id} at {last[index]:g}, others at "
                f"{horizon:g}): give --horizon, an epoch that all of them reach"
            )
    if not horizon > 0:
        raise TableError("no trial was evaluated after epoch 0")
    return horizon


def _gap_basis(curves: Stack, diverged: NDArray[np.bool_], replicate: NDArray[np.bool_]) -> str:
    """What final gaps are taken to: test accuracy, or validation where any replicate has none.

    A diverged replicate has one: chance.
    """
    needed = replicate & ~diverged
    return "validation" if np.isnan(curves.scalars["test_acc"][needed]).any() else "test"


def _fill_horizon(table: Table, measured: dict[str, FloatArray]) -> None:
    """Give a diverged trial that has nothing to scale to the horizon its cell's median there: it stays counted."""
    for name in ("steps_at_horizon", "seconds_at_horizon"):
        values = measured[name]
        for index in np.flatnonzero((measured["diverged"] == 1) & np.isnan(values) & ~table.failed):
            trial = table.trials[index]
            known = table.cell(trial.arm, int(table.stratum[index]), trial.phase).known(name)
            if len(known):
                values[index] = np.median(known)
