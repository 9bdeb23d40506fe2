"""Many trials' measures: targets, cells, comparisons and verdicts. numpy and scipy only."""

from actsweep.compare.cells import cell_row
from actsweep.compare.comparisons import Comparison, compare_pair
from actsweep.compare.estimates import (
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
from actsweep.compare.inputs import AnalysisOptions, TrialCurve
from actsweep.compare.permutation import permutation_p
from actsweep.compare.ranks import probability_better
from actsweep.compare.table import Cell
from actsweep.compare.targets import Target, find_target
from actsweep.compare.verdicts import ENOUGH_UNITS, Verdict, judge_pair

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
