"""Many trials' measures: targets, cells, comparisons and verdicts. numpy and scipy only."""

from actsweep.compare.cells import cell_row
from actsweep.compare.comparisons import Comparison, compare_pair
from actsweep.compare.judging.verdicts import ENOUGH_UNITS, Verdict, judge_pair
from actsweep.compare.statistics.estimates import (
    Interval,
    difference_of_means,
    equivalent,
    ert,
    expected_best_of_k,
    mean_of,
    ratio_of_means,
    unit_means,
    wilson,
)
from actsweep.compare.statistics.permutation import permutation_p
from actsweep.compare.statistics.ranks import probability_better
from actsweep.compare.trials.inputs import AnalysisOptions, TrialCurve
from actsweep.compare.trials.table import Cell
from actsweep.compare.trials.targets import Target, find_target

__all__ = [
    "ENOUGH_UNITS",
    "AnalysisOptions",
    "Cell",
    "Comparison",
    "Interval",
    "Target",
    "TrialCurve",
    "Verdict",
    "cell_row",
    "compare_pair",
    "difference_of_means",
    "equivalent",
    "ert",
    "expected_best_of_k",
    "find_target",
    "judge_pair",
    "mean_of",
    "permutation_p",
    "probability_better",
    "ratio_of_means",
    "unit_means",
    "wilson",
]
