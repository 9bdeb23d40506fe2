"""Measures that plugins bring: functions of one trial's curve, beside those of the method."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from actsweep.compare.trials.inputs import TrialCurve
from actsweep.curves import Curve, FloatArray

MAX_PROBLEMS = 3


def own_measures(
    trials: Sequence[TrialCurve], measures: Mapping[str, Callable[[Curve], float | None]]
) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """The measures of all trials, and what went wrong where one could not be had.

    Args:
        trials: N trials; a failed one has no measure.
        measures: a function by the measure's name.

    Returns:
        by name the values, shape (N,), NaN where the function gave None, something that is no finite number, or an
        error; and sentences on the errors, the first few of each measure.
    """
    values: dict[str, FloatArray] = {}
    problems: list[str] = []
    for name, function in measures.items():
        column = np.full(len(trials), np.nan)
        failures: list[str] = []
        for index, trial in enumerate(trials):
            if trial.failed:
                continue
            try:
                column[index] = _number(function(trial.curve))
            except Exception as error:  # a measure is foreign code, and no reason to lose a study's results
                failures.append(f"{trial.trial_id} ({type(error).__name__}: {' '.join(str(error).split())})")
        values[name] = column
        if failures:
            shown = ", ".join(failures[:MAX_PROBLEMS]) + (", ..." if len(failures) > MAX_PROBLEMS else "")
            problems.append(f"The measure {name} of a plugin failed for {len(failures)} trials: {shown}.")
    return values, tuple(problems)


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, int | float | np.number | np.bool_):
        raise TypeError(f"gave {value!r} and not a number or None")
    number = float(value)
    return number if math.isfinite(number) else math.nan
