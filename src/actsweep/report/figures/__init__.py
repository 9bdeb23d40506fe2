"""The page's figures as plain plotly specifications; nothing here imports plotly."""

from collections.abc import Iterable

from actsweep.analysis import TrialCurve
from actsweep.report.figures import gaps, mechanism, settings, tuning
from actsweep.report.figures.figure import Figure, View
from actsweep.report.figures.runs import arm_styles, material
from actsweep.report.figures.strip import strip
from actsweep.report.figures.times import times
from actsweep.report.figures.validation import validation
from actsweep.report.rows import Results

__all__ = ["Figure", "View", "arm_styles", "figures"]

_IN_ORDER = (
    validation,
    times,
    gaps.against_epochs,
    gaps.against_loss,
    strip,
    tuning.learning_rates,
    tuning.best_of_k,
    mechanism.gradients,
    mechanism.units,
    settings.parallel,
    settings.importance,
)


def figures(results: Results, trials: Iterable[TrialCurve]) -> list[Figure]:
    """All figures of a study in the order of the page; one that has nothing to show says why.

    Args:
        results: the results dictionary.
        trials: the trials that it is of, with their curves.
    """
    drawn = material(results, trials)
    return [figure(drawn) for figure in _IN_ORDER]
