"""A trial's curve and its measures: numpy only, pure functions."""

from actsweep.curves.curve import GRAD_NORMS, SERIES, Curve, FloatArray, cut
from actsweep.curves.divergence import chance, counted_accuracy, diverged_above, first_bad, stuck_below
from actsweep.curves.gaps import gap_at_loss
from actsweep.curves.measures import AVERAGED, LISTED, measure, measure_curve, measure_targets
from actsweep.curves.stack import Stack, stack
from actsweep.curves.times import TIME_UNITS, crossing, times_to_target

__all__ = [
    "AVERAGED",
    "GRAD_NORMS",
    "LISTED",
    "SERIES",
    "TIME_UNITS",
    "Curve",
    "FloatArray",
    "Stack",
    "chance",
    "counted_accuracy",
    "crossing",
    "cut",
    "diverged_above",
    "first_bad",
    "gap_at_loss",
    "measure",
    "measure_curve",
    "measure_targets",
    "stack",
    "stuck_below",
    "times_to_target",
]
