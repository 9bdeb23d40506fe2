"""What W&B is told of a study as a whole."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from actsweep.tracker import ModelFile, StudyOutcome
from actsweep.tracker.outcome import OF_THE_STUDY


def test_each_trial_has_the_keys_that_need_the_targets_and_no_nulls(outcome: StudyOutcome) -> None:
    rows = {row["trial_id"]: row for row in outcome.results["trials"]}
    assert outcome.of_trials.keys() == rows.keys()
    for trial_id, keys in outcome.of_trials.items():
        assert keys == {name: rows[trial_id][name] for name in OF_THE_STUDY if rows[trial_id][name] is not None}
    assert {"reached_hi", "epochs_to_target_hi", "reached_lo"} <= keys.keys()


def test_one_stratum_needs_no_name_and_several_have_theirs(outcome: StudyOutcome) -> None:
    (cell,) = [cell for cell in outcome.results["cells"] if cell["activation"] == "tanh"]
    assert outcome.summary()["tanh/epochs_to_target/rmst"] == cell["rmst_epochs_hi"]
    results = deepcopy(dict(outcome.results))
    results["cells"] = [*results["cells"], *({**one, "depth": 4} for one in results["cells"])]
    summary = replace(outcome, results=results).summary()
    assert summary["tanh/3/epochs_to_target/rmst"] == summary["tanh/4/epochs_to_target/rmst"]
    assert not any(key.startswith("tanh/epochs") for key in summary)


def test_the_aggregates_are_flat_numbers_with_their_ends(outcome: StudyOutcome) -> None:
    summary = outcome.summary()
    aggregates = {key: value for key, value in summary.items() if "/" in key}
    assert all(isinstance(value, int | float) for value in aggregates.values())
    for what in ("epochs_to_target/rmst", "gap_end/mean", "test_acc/mean", "reached/share"):
        low, high = (aggregates[f"relu/{what.partition('/')[0]}/{end}"] for end in ("low", "high"))
        assert low <= aggregates[f"relu/{what}"] <= high


def test_tables_have_a_column_for_every_key_and_values_that_json_takes(outcome: StudyOutcome) -> None:
    tables = outcome.tables()
    assert sorted(tables) == ["cells", "comparisons", "verdicts"]
    columns, rows = tables["cells"]
    assert len(rows) == len(outcome.results["cells"])
    assert json.loads(rows[0][columns.index("best_of_k")]) == outcome.results["cells"][0]["best_of_k"]
    assert all(not isinstance(value, list | dict) for _, some in tables.values() for row in some for value in row)


def test_the_digest_follows_results_and_models(outcome: StudyOutcome) -> None:
    other = deepcopy(dict(outcome.results))
    other["study"]["level"] = 0.5
    model = ModelFile("relu/3", Path("best.ckpt"), {"trial_id": "0"})
    digests = [outcome.digest, replace(outcome, results=other).digest, replace(outcome, models=(model,)).digest]
    assert len(set(digests)) == 3
    assert replace(outcome, results=deepcopy(dict(outcome.results))).digest == outcome.digest


def test_figures_have_names_that_w_and_b_takes_for_files(outcome: StudyOutcome) -> None:
    keys = list(outcome.figures)
    assert len(keys) > 0
    assert all(key.removeprefix("figures/").replace("_", "").isalnum() for key in keys)
