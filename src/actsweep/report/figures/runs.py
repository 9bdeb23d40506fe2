"""The replicates of each cell as the figures need them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actsweep.analysis import TrialCurve
from actsweep.curves import Curve, FloatArray, Stack, chance, counted_accuracy, cut, first_bad, stack
from actsweep.report.figures.figure import MOST_LINES, runs_text, spread
from actsweep.report.palette import Style, styles
from actsweep.report.rows import Results, Row, arm_of, cell_label, strata, stratum_of, stratum_text
from actsweep.report.wording import clean


@dataclass(frozen=True, eq=False)
class Runs:
    """The replicates of one cell that did not fail, the best final validation accuracy first.

    Attributes:
        label: the cell's name.
        arm: its arm.
        style: how it is drawn.
        rows: a row of measures a run.
        curves: a curve a run, cut at the study's horizon.
        classes: how many there are to tell apart.
        horizon: the study's last epoch.
    """

    label: str
    arm: str
    style: Style
    rows: Sequence[Row]
    curves: Sequence[Curve]
    classes: int
    horizon: float

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def stack(self) -> Stack:
        """The curves side by side."""
        return stack(self.curves)

    @cached_property
    def diverged(self) -> NDArray[np.bool_]:
        """Whether each run diverged, shape (N,)."""
        return np.array([bool(row["diverged"]) for row in self.rows])

    @cached_property
    def accuracy(self) -> tuple[FloatArray, FloatArray]:
        """Epochs and validation accuracies as they count, shape (N, T + 1): a diverged run is at chance to the end."""
        counted = counted_accuracy(self.stack, first_bad(self.stack, self.classes), self.classes)
        last = self.stack.last[:, None]
        at_end = np.where(self.diverged[:, None], chance(self.classes), np.nan)
        counted = np.where((np.arange(counted.shape[1]) == last) & self.diverged[:, None], at_end, counted)
        end = np.where(self.diverged[:, None], self.horizon, np.nan)
        return np.hstack([self.stack["epoch"], end]), np.hstack([counted, at_end])

    def series(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Epochs and a series (N, T) of the runs that did not diverge; what follows a divergence means nothing."""
        return self.stack["epoch"][~self.diverged], values[~self.diverged]

    @property
    def drawn(self) -> NDArray[np.intp]:
        """Which runs get a thin line of their own."""
        return spread(len(self), MOST_LINES)


@dataclass(frozen=True, eq=False)
class Material:
    """All that figures are drawn from: the results, the style of each arm, and the replicates by stratum."""

    results: Results
    styles: dict[str, Style]
    runs: dict[tuple[Any, ...], list[Runs]]

    @property
    def lacks_replicates(self) -> str:
        """Why there is nothing of the replicates to show; empty where there is a replicate."""
        return "" if any(self.runs.values()) else "No replicate has been trained yet."

    def strata(self) -> Iterator[tuple[tuple[Any, ...], str, list[Runs]]]:
        """Each stratum that has a replicate: its values, its name, and its cells in the order of the results."""
        for stratum, cells in self.runs.items():
            if cells:
                yield stratum, stratum_text(self.results, stratum), cells


def material(results: Results, trials: Iterable[TrialCurve]) -> Material:
    """Sort the replicates of a study into its cells.

    Args:
        results: the results dictionary.
        trials: the trials that it is of, with their curves; those of other phases are passed over.
    """
    drawn = arm_styles(results)
    rows = {row["trial_id"]: row for row in results["trials"] if row["phase"] == "replicate"}
    found: dict[str, list[tuple[Row, Curve]]] = {}
    for trial in trials:
        row = rows.get(trial.trial_id)
        if trial.phase == "replicate" and row is not None and not trial.failed:
            found.setdefault(cell_label(results, row), []).append((row, cut(trial.curve, results["study"]["horizon"])))
    by_stratum: dict[tuple[Any, ...], list[Runs]] = {stratum: [] for stratum in strata(results)}
    for cell in results["cells"]:
        runs = found.get(cell_label(results, cell), [])
        if runs:
            by_stratum[stratum_of(results, cell)].append(_runs(results, cell, runs, drawn))
    return Material(results, drawn, by_stratum)


def arm_styles(results: Results) -> dict[str, Style]:
    """The style of each arm of a study."""
    return styles([*map(clean, results["study"]["arms"]), *(arm_of(results, cell) for cell in results["cells"])])


def healthy_text(shown: Sequence[Runs], cells: Sequence[Runs]) -> str:
    """How many runs a figure shows that leaves out what diverged, and how many of the stratum it leaves out.

    Args:
        shown: the cells that it shows.
        cells: all cells of the stratum.
    """
    said = runs_text((runs.arm, int((~runs.diverged).sum())) for runs in shown)
    lost = [(runs.arm, int(runs.diverged.sum())) for runs in cells if runs.diverged.any()]
    left_out = (
        f" Left out, since they diverged: {', '.join(f'{number} {name}' for name, number in lost)}." if lost else ""
    )
    return f"{said}.{left_out}"


def on_one_grid(epoch: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Runs at the same epochs, a missing evaluation bridged by a straight line.

    Args:
        epoch: shape (N, T), increasing along each run, NaN behind its end.
        values: shape (N, T), NaN where not recorded.

    Returns:
        the epochs that any run has, shape (G,), and the values there, shape (N, G), NaN beyond a run's ends.
    """
    known = np.isfinite(epoch) & np.isfinite(values)
    grid = np.unique(epoch[known])
    out = np.full((len(values), len(grid)), np.nan)
    for line, x, y, has in zip(out, epoch, values, known, strict=True):
        if has.any():
            line[:] = np.interp(grid, x[has], y[has], np.nan, np.nan)
    return grid, out


def _runs(results: Results, cell: Row, runs: Sequence[tuple[Row, Curve]], drawn: dict[str, Style]) -> Runs:
    arm, study = arm_of(results, cell), results["study"]
    best_first = sorted(runs, key=lambda run: (-(run[0].get("final_val_acc") or 0.0), str(run[0]["trial_id"])))
    rows, curves = zip(*best_first, strict=True)
    return Runs(cell_label(results, cell), arm, drawn[arm], rows, curves, study["classes"], study["horizon"])
