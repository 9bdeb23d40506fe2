"""Results as plain rows."""

import json
import math

import numpy as np

from actsweep.compare import Interval
from actsweep.compare.comparisons import Comparison
from actsweep.compare.rows import comparison_row, null, place, plain, trial_rows, whole
from actsweep.compare.trials.table import make_table
from actsweep.curves import LISTED
from simulate import crossing_curve, trial

NAN = math.nan


def test_a_comparison_says_of_how_many_trials_and_units_it_is() -> None:
    made = Comparison("d_test_acc", (1, 2), (3, 4), Interval(0.5, NAN, NAN, 0.25), Interval(0.1, 0.0, 0.2), 0.75)
    row = comparison_row(made, 0.99, {"a": "relu", "b": "tanh"})
    assert [row[name] for name in ("n_a", "n_b", "units_a", "units_b")] == [1, 2, 3, 4]
    assert (row["estimate"], row["low"], row["high"], row["p_value"], row["p_permutation"]) == (
        0.5,
        None,
        None,
        0.25,
        0.75,
    )
    assert row["healthy"] == {"estimate": 0.1, "low": 0.0, "high": 0.2}
    assert (row["parts"], row["bound"], row["largest"], row["equivalent"]) == (None, None, None, None)


def test_parts_are_there_where_an_estimate_can_be_split() -> None:
    row = comparison_row(Comparison("r_seconds_hi", (1, 1), (1, 1), parts={"steps": "epochs", "x": NAN}), 0.9, {})
    assert row["parts"] == {"steps": "epochs", "x": None}


def test_a_trials_row_has_flags_whole_epochs_and_none_for_what_does_not_exist() -> None:
    trials = [trial("relu", 0, crossing_curve(2, 6)), trial("relu", 1, crossing_curve(2, 6, status="failed"))]
    measures = {name: np.array([NAN, 1.0]) for name in LISTED}
    measures |= {name: np.array([1.0, 1.0]) for name in ("diverged", "best_epoch", "reached_hi", "nauc")}
    measures["stuck"] = np.array([0.0, 1.0])
    done, failed = json.loads(json.dumps(trial_rows(make_table(trials, "relu", measures), "activation", ["depth"], [])))
    assert (done["diverged"], done["stuck"], done["reached_hi"], done["reached_lo"]) == (True, False, True, None)
    assert json.dumps([done["best_epoch"], done["nauc"], done["drop"]]) == "[1, 1.0, null]"
    assert (failed["diverged"], failed["stuck"], failed["reached_hi"], failed["nauc"]) == (False, False, None, None)
    assert (done["activation"], done["depth"], done["status"], failed["status"]) == ("relu", 3, None, "failed")


def test_places_and_plain_values() -> None:
    assert place(["depth", "data"], [3, "digits"]) == {"depth": 3, "data": "digits"}
    assert place(["depth"], []) == {"depth": None}
    assert plain({"a": NAN, "b": 1.0, "c": "nan"}) == {"a": None, "b": 1.0, "c": "nan"}
    assert null(math.inf) == math.inf
    assert [json.dumps(whole(value)) for value in (20.0, 2.5)] == ["20", "2.5"]
