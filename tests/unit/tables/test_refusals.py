"""Every refusal, from CSV and from Parquet, with the row, the column and the trial named."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RequestError
from actsweep.tables import read_table, trial_curves
from curve_tables import Row, make_rows, pick, without, write_csv, write_parquet

NAN, INF = float("nan"), float("inf")
Outcome = Callable[..., str]


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """What becomes of rows, the same from a CSV as from a Parquet file: `accepted`, or the message of the refusal."""

    def message(rows: Sequence[Row], mapping: dict[str, str] | None = None, **options: Any) -> str:
        found = set()
        for path in (write_csv(tmp_path / "curves.csv", rows), write_parquet(tmp_path / "curves.parquet", rows)):
            try:
                trial_curves(read_table(path, mapping=mapping), **options)
                found.add("accepted")
            except RequestError as error:
                found.add(str(error).replace(str(path), "FILE"))
        assert len(found) == 1
        return found.pop()

    return message


def trial_with(trial: str, **columns: Any) -> list[Row]:
    """The usual table with other values in all rows of a trial."""
    return [row | columns if row["trial_id"] == trial else row for row in make_rows()]


def ended(trial: str, status: str, **columns: Any) -> list[Row]:
    """The usual table with another status, and other values, on a trial's last row."""
    rows = make_rows()
    pick(rows, trial_id=trial, epoch=3)[0].update(status=status, **columns)
    return rows


def test_the_usual_table_is_accepted(outcome: Outcome) -> None:
    assert outcome(make_rows()) == "accepted"


class TestCells:
    """One wrong cell: row 6 is the second of trial relu-1."""

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("activation", None, "is empty, but required"),
            ("seed", None, "is empty, but required"),
            ("epoch", None, "is empty, but required"),
            ("epoch", -1, "must be a whole number from 0 on, not -1.0"),
            ("epoch", 1.5, "must be a whole number from 0 on, not 1.5"),
            ("epoch", INF, "must be a whole number from 0 on, not inf"),
            ("val_acc", 1.25, "must be a fraction from 0 to 1, not 1.25"),
            ("val_acc", -0.5, "must be a fraction from 0 to 1, not -0.5"),
            ("val_acc", INF, "must be a fraction from 0 to 1, not inf"),
            ("val_acc", None, "is empty in a trial that did not diverge"),
            ("val_acc", NAN, "is empty in a trial that did not diverge"),
            ("train_acc", 73.0, "must be a fraction from 0 to 1, not 73.0"),
            ("test_acc", -INF, "must be a fraction from 0 to 1, not -inf"),
            ("step", -1, "must be a number from 0 on, not -1.0"),
            ("seconds", -0.5, "must be a number from 0 on, not -0.5"),
            ("seconds", INF, "must be a number from 0 on, not inf"),
            ("activation", "gelu", "changes within the trial, here to gelu"),
            ("depth", 5, "changes within the trial, here to 5"),
            ("lr", 0.5, "changes within the trial, here to 0.5"),
            ("seed", 7, "changes within the trial, here to 7"),
            ("block", 7, "changes within the trial, here to 7"),
            ("phase", "tune", "changes within the trial, here to tune"),
            ("phase", "Replicate", "must be one of tune, replicate, cross, not Replicate"),
            ("status", "ok", "must be one of completed, stopped, diverged, failed, not ok"),
            ("seed", 1.5, "must be a whole number of at most 64 bits, not 1.5"),
            ("block", 0.5, "must be a whole number of at most 64 bits, not 0.5"),
            ("depth", 2.5, "must be a whole number of at most 64 bits, not 2.5"),
            ("seed", 1e30, "must be a whole number of at most 64 bits, not 1e+30"),
            ("lr", INF, "must be a finite number, not inf"),
            ("lr", NAN, "must be a finite number, not nan"),
            ("val_acc", "good", "must be a number, not good"),
            ("train_loss", "1,5", "must be a number, not 1,5"),
            ("wall", "12 s", "must be a number, not 12 s"),
        ],
    )
    def test_it_is_named(self, outcome: Outcome, column: str, value: Any, message: str) -> None:
        rows = make_rows() if column != "wall" else make_rows(wall=1.0)
        rows[5][column] = value
        assert outcome(rows) == f"FILE: row 6, column {column}, trial relu-1: {message}"

    def test_a_row_without_a_trial(self, outcome: Outcome) -> None:
        assert outcome(trial_with("relu-1", trial_id=None)) == "FILE: row 5, column trial_id: is empty, but required"

    @pytest.mark.parametrize("column", ["step", "seconds"])
    def test_a_cumulative_column_that_falls(self, outcome: Outcome, column: str) -> None:
        rows = make_rows()
        rows[5][column] = None
        rows[4][column], rows[6][column] = 500, 499
        expected = f"FILE: row 7, column {column}, trial relu-1: is lower than at an earlier epoch of the trial: 499.0"
        assert outcome(rows) == expected

    def test_the_same_epoch_twice(self, outcome: Outcome) -> None:
        rows = make_rows()
        rows[7]["epoch"] = 1
        assert outcome(rows) == "FILE: row 8, column epoch, trial relu-1: epoch 1.0 occurs twice in this trial"

    def test_the_first_wrong_row_of_the_file_is_named(self, outcome: Outcome) -> None:
        rows = make_rows()
        rows[2]["val_acc"] = rows[9]["val_acc"] = 2
        assert outcome(rows[::-1]).startswith("FILE: row 7, column val_acc, trial tanh-0:")

    def test_a_mapped_column_is_called_by_its_name_in_the_file(self, outcome: Outcome) -> None:
        rows = [{("acc" if name == "val_acc" else name): value for name, value in row.items()} for row in make_rows()]
        rows[0]["acc"] = 50
        assert "row 1, column acc, trial relu-0: must be a fraction" in outcome(rows, mapping={"val_acc": "acc"})

    def test_text_of_a_file_cannot_control_the_terminal(self, outcome: Outcome) -> None:
        rows = make_rows()
        rows[5]["val_acc"] = "\x1b[31m[red]{}\x07"
        assert outcome(rows).endswith(r"not \x1b[31m[red]{}\x07")
        assert r"trial \x1b]0;x: " in outcome(trial_with("relu-0", trial_id="\x1b]0;x", val_acc=2))

    def test_a_cell_of_over_64_kib_in_any_column(self, outcome: Outcome) -> None:
        rows = make_rows(note="x")
        rows[5]["note"] = "x" * 65536
        assert outcome(rows) == "accepted"
        rows[5]["note"] += "x"
        expected = "FILE: row 6, column note, trial relu-1: the cell holds 65537 bytes; at most 64 KiB are read"
        assert outcome(rows) == expected


class TestColumns:
    @pytest.mark.parametrize("column", ["trial_id", "activation", "seed", "epoch", "val_acc"])
    def test_a_missing_required_column(self, outcome: Outcome, column: str) -> None:
        rows = [{name: value for name, value in row.items() if name != column} for row in make_rows()]
        message = outcome(rows)
        assert message.startswith(f"FILE: the column {column} is missing; the file has ")
        assert message.endswith(f"say --map {column}=NAME")

    @pytest.mark.parametrize("column", ["phase", "depth", "lr", "block", "step", "seconds", "train_loss", "status"])
    def test_the_others_may_be_missing_or_empty(self, outcome: Outcome, column: str) -> None:
        rows = [{name: value for name, value in row.items() if name != column} for row in make_rows()]
        assert outcome(rows) == "accepted"
        assert outcome(make_rows(**{column: None})) == "accepted"

    def test_a_mapping_to_a_column_that_is_not_there(self, outcome: Outcome) -> None:
        message = outcome(make_rows(), mapping={"val_acc": "accuracy"})
        assert message.startswith("--map val_acc=accuracy: FILE has no such column; it has trial_id, phase")

    def test_a_mapping_of_a_column_that_is_never_read(self, outcome: Outcome) -> None:
        message = outcome(make_rows(), mapping={"valacc": "val_acc"})
        assert message.startswith("--map valacc=...: no such column; known are activation, depth, trial_id")
        assert message.endswith("did you mean 'val_acc'?")


class TestTrials:
    """Trials that cannot be compared fairly."""

    def test_fewer_than_two_arms(self, outcome: Outcome) -> None:
        rows = make_rows(arms=("relu",))
        assert outcome(rows) == "FILE: the column activation needs at least two values to compare, found only relu"

    def test_no_trial_that_did_not_fail(self, outcome: Outcome) -> None:
        assert outcome(make_rows(status="failed")) == "FILE: every trial failed, so there is nothing to analyse"

    def test_an_empty_accuracy_is_accepted_in_a_trial_that_diverged_or_failed(self, outcome: Outcome) -> None:
        assert outcome(ended("relu-1", "diverged", val_acc=None)) == "accepted"
        assert outcome(ended("relu-1", "failed", val_acc=None)) == "accepted"
        assert outcome(ended("relu-1", "completed", val_acc=None, train_loss=NAN)) == "accepted"
        assert outcome(ended("relu-1", "completed", val_acc=None, train_loss=4.7)) == "accepted"
        message = "FILE: row 8, column val_acc, trial relu-1: is empty in a trial that did not diverge"
        assert outcome(ended("relu-1", "completed", val_acc=None, train_loss=4.5)) == message
        assert outcome(ended("relu-1", "completed", val_acc=None, train_loss=4.7), classes=100) == message

    def test_a_loss_that_is_not_finite_before_training_is_no_divergence(self, outcome: Outcome) -> None:
        rows = make_rows()
        rows[4].update(train_loss=INF, val_acc=None)
        assert outcome(rows) == "FILE: row 5, column val_acc, trial relu-1: is empty in a trial that did not diverge"

    def test_a_replicate_that_was_stopped_early(self, outcome: Outcome) -> None:
        rows = without(ended("relu-1", "completed"), trial_id="relu-1", epoch=3)
        rows[6]["status"] = "stopped"
        message = "FILE: row 7, column status, trial relu-1: a replicate was stopped early; only tune trials may be"
        assert outcome(rows).startswith(message)
        assert outcome([row | {"phase": "cross"} for row in rows]).startswith(message)
        assert outcome([row | {"phase": "tune"} for row in rows]) == "accepted"

    def test_an_evaluation_that_others_have_is_missing(self, outcome: Outcome) -> None:
        rows = without(make_rows(), trial_id="relu-1", epoch=2)
        message = "FILE: row 7, column epoch, trial relu-1: this trial has no evaluation at epoch 2, which other"
        assert outcome(rows).startswith(message)
        rows[6]["status"] = "diverged"
        assert outcome(rows) == "accepted"
        rows[6]["status"] = "failed"
        assert outcome(rows) == "accepted"

    def test_an_evaluation_of_a_diverged_trial_alone_is_not_asked_of_others(self, outcome: Outcome) -> None:
        rows = without(without(make_rows(), epoch=1), epoch=2)
        rows.insert(3, rows[3] | {"epoch": 2, "val_acc": 0.1, "status": None})
        assert outcome(rows).startswith("FILE: row 2, column epoch, trial relu-0: this trial has no evaluation at")
        rows[4].update(status="diverged", train_loss=NAN)
        assert outcome(rows) == "accepted"

    def test_epoch_0_is_missing_in_some_trials_only(self, outcome: Outcome) -> None:
        rows = without(make_rows(), trial_id="tanh-0", epoch=0)
        message = (
            "FILE: row 9, column epoch, trial tanh-0: this trial has no evaluation at epoch 0 (its first is at 1.0)"
        )
        assert outcome(rows).startswith(message)
        assert outcome(without(make_rows(), epoch=0)) == "accepted"

    def test_tune_trials_may_end_early_but_not_have_holes(self, outcome: Outcome) -> None:
        tune = make_rows(phase="tune")
        assert outcome(without(without(tune, trial_id="relu-1", epoch=3), trial_id="relu-1", epoch=2)) == "accepted"
        assert "no evaluation at epoch 2" in outcome(without(tune, trial_id="relu-1", epoch=2))

    def test_tune_trials_may_be_evaluated_at_other_epochs_than_replicates(self, outcome: Outcome) -> None:
        tune = [row | {"trial_id": f"tune {row['trial_id']}", "phase": "tune"} for row in make_rows()]
        assert outcome([*make_rows(), *without(tune, epoch=1)]) == "accepted"

    def test_two_replicates_of_a_cell_with_the_same_block_lr_and_seed(self, outcome: Outcome) -> None:
        message = (
            "FILE: row 5, column seed, trial relu-1: 0 is also that of trial relu-0, in the same cell and block and at "
            "the same lr: replicates need seeds of their own"
        )
        assert outcome(trial_with("relu-1", seed=0)) == message
        assert outcome([row | {"lr": None, "block": None} for row in trial_with("relu-1", seed=0)]) == message
        for other in ({"block": 1}, {"lr": 0.1}, {"depth": 5}, {"activation": "gelu"}, {"phase": "cross"}):
            assert outcome(trial_with("relu-1", seed=0, **other)) == "accepted"
        assert outcome([row | {"phase": "tune"} for row in trial_with("relu-1", seed=0)]) == "accepted"

    def test_a_failed_trial_may_share_its_seed_with_its_successor(self, outcome: Outcome) -> None:
        rows = trial_with("relu-1", seed=0)
        rows[3]["status"] = "failed"
        assert outcome(rows) == "accepted"

    def test_some_trials_have_a_phase_or_a_block_and_others_do_not(self, outcome: Outcome) -> None:
        message = "FILE: row 5, column phase, trial relu-1: is empty, though other trials have a phase"
        assert outcome(trial_with("relu-1", phase=None)) == message
        message = "FILE: row 5, column block, trial relu-1: is empty, though other replicates have a block"
        assert outcome(trial_with("relu-1", block=None)) == message

    def test_a_value_may_stand_on_any_row_of_a_trial(self, outcome: Outcome) -> None:
        rows = make_rows()
        for row in rows:
            if row["epoch"] != 2:
                row.update(phase=None, depth=None, lr=None, block=None)
        assert outcome(rows) == "accepted"


class TestHorizon:
    def test_replicates_that_end_at_different_epochs_need_one(self, outcome: Outcome) -> None:
        rows = without(make_rows(), trial_id="relu-1", epoch=3)
        assert outcome(rows) == (
            "FILE: row 7, column epoch, trial relu-1: this replicate ends at epoch 2.0, others at 3: give --horizon, "
            "an epoch that all of them reach, such as 2"
        )
        assert outcome(rows, horizon=2) == "accepted"
        assert outcome(rows, horizon=1) == "accepted"

    def test_it_must_be_an_epoch_that_all_replicates_reach(self, outcome: Outcome) -> None:
        rows = without(make_rows(), trial_id="relu-1", epoch=3)
        assert outcome(rows, horizon=3) == (
            "FILE: row 7, column epoch, trial relu-1: this replicate was not evaluated at --horizon 3; its last "
            "evaluation up to there is at 2.0"
        )

    @pytest.mark.parametrize("horizon", [1.5, 9])
    def test_it_must_be_an_evaluated_epoch(self, outcome: Outcome, horizon: float) -> None:
        assert outcome(make_rows(), horizon=horizon) == (
            f"--horizon {horizon:g}: FILE has no replicate that was evaluated at that epoch; the last at which any was "
            "are 0, 1, 2, 3"
        )

    def test_it_leaves_every_trial_something(self, outcome: Outcome) -> None:
        rows = make_rows(phase="tune")
        rows = [row | {"epoch": row["epoch"] + 5 * (row["trial_id"] == "relu-1")} for row in rows]
        late = outcome(without(rows, epoch=0), horizon=3)
        assert late == (
            "FILE: row 4, column epoch, trial relu-1: this trial has no evaluation up to --horizon; its first is at "
            "epoch 5.0"
        )

    def test_it_cuts_before_anything_is_asked_of_the_curves(self, outcome: Outcome) -> None:
        rows = ended("relu-1", "diverged", val_acc=None, train_loss=NAN)
        rows[10]["val_acc"] = None
        assert outcome(rows, horizon=1) == "accepted"
        assert outcome(ended("relu-1", "stopped"), horizon=2) == "accepted"
        assert "stopped early" in outcome(ended("relu-1", "stopped"), horizon=3)

    def test_a_replicate_that_diverged_may_end_anywhere(self, outcome: Outcome) -> None:
        rows = without(make_rows(), trial_id="relu-1", epoch=3)
        rows[6]["status"] = "diverged"
        assert outcome(rows) == outcome(rows, horizon=3) == "accepted"

    def test_cross_trials_end_where_the_replicates_do(self, outcome: Outcome) -> None:
        cross = [row | {"trial_id": f"cross {row['trial_id']}", "phase": "cross"} for row in make_rows(horizon=2)]
        assert "trial cross relu-0: this replicate ends at epoch 2.0" in outcome([*make_rows(), *cross])
