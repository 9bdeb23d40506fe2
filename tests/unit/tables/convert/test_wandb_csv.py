"""Charts and tables of runs, as W&B exports them."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from actsweep.cli.analyze import run_analyze
from actsweep.errors import TableError
from converted import converted, place
from curve_tables import Row, make_rows, write_csv

NAN = float("nan")


class TestWandb:
    ARMS = ("activation=relu, seed=0", "activation=tanh, seed=0")

    def chart(self, path: Path, metric: str, values: Sequence[Any], axis: str = "epoch", **extremes: Any) -> Path:
        rows = []
        for at, value in enumerate(values):
            row: Row = {axis: at}
            for run in self.ARMS:
                row[f"{run} - _step"] = row[f"{run} - _step__MIN"] = row[f"{run} - _step__MAX"] = 100 * at
                row[f"{run} - {metric}"] = row[f"{run} - {metric}__MIN"] = row[f"{run} - {metric}__MAX"] = value
            rows.append(row | extremes)
        return write_csv(path, rows)

    def test_a_chart_of_one_metric_with_settings_in_the_names(self, tmp_path: Path) -> None:
        trials = converted(self.chart(tmp_path / "a.csv", "val_acc", [0.1, 0.2, 0.3]), "wandb-csv", step="_step")
        trial = trials["activation=tanh, seed=0"]
        assert place(trial) == ("tanh", (None,), None, 0)
        assert trial.curve.step is not None
        assert (trial.curve.epoch.tolist(), trial.curve.val_acc.tolist()) == ([0, 1, 2], [0.1, 0.2, 0.3])
        assert trial.curve.step.tolist() == [0, 100, 200]

    def test_the_x_axis_can_be_another_one(self, tmp_path: Path) -> None:
        path = self.chart(tmp_path / "a.csv", "accuracy", [0.1, 0.2], axis="Step")
        trials = converted(path, "wandb-csv", epoch="Step+1", val_acc="accuracy")
        assert trials[self.ARMS[0]].curve.epoch.tolist() == [1, 2]
        with pytest.raises(
            TableError, match="the column epoch is missing; the file has trial_id, Step, _step, accuracy"
        ):
            converted(path, "wandb-csv", val_acc="accuracy")

    def test_a_folder_of_charts_and_the_table_of_runs_belong_together(self, tmp_path: Path) -> None:
        self.chart(tmp_path / "a.csv", "val_acc", [0.1, 0.2, 0.3])
        self.chart(tmp_path / "b.csv", "train_loss", [2.0, 1.0, "NaN"])
        runs = [
            {"Name": run, "State": state, "Tags": "", "optimizer.lr": 0.01, "width": 8, "val_acc": 0.9, "test_acc": 0.7}
            for run, state in zip(self.ARMS, ("finished", "crashed"), strict=True)
        ]
        write_csv(tmp_path / "runs.csv", runs)
        trials = converted(tmp_path, "wandb-csv", lr="optimizer.lr", depth="width")
        relu = trials[self.ARMS[0]]
        assert place(relu) == ("relu", (8,), 0.01, 0)
        assert (relu.curve.test_acc, relu.curve.val_acc.tolist()) == (0.7, [0.1, 0.2, 0.3])
        assert relu.curve.train_loss is not None
        assert relu.curve.train_loss.tolist() == [2, 1, math.inf]
        assert (relu.curve.status, trials[self.ARMS[1]].failed) == ("completed", True)

    def test_a_history_in_long_form(self, tmp_path: Path) -> None:
        """Rows between evaluations have no accuracy; the test accuracy comes in a row of its own."""
        rows = []
        for run, arm in (("abc", "relu"), ("def", "tanh")):
            fixed = {"run_id": run, "activation": arm, "seed": 0}
            for epoch in range(3):
                rows += [fixed | {"epoch": epoch, "_step": 10 * epoch + i, "train_loss": 2.0 - i} for i in range(2)]
                rows.append(fixed | {"epoch": epoch, "_step": 10 * epoch + 2, "val_acc": 0.1 * epoch})
            rows.append(fixed | {"epoch": None, "_step": 30, "test_acc": 0.5})
        columns = dict.fromkeys(key for row in rows for key in row)
        path = write_csv(tmp_path / "a.csv", [{name: row.get(name) for name in columns} for row in rows])
        curve = converted(path, "wandb-csv")["def"].curve
        assert curve.train_loss is not None
        assert (curve.epoch.tolist(), curve.train_loss.tolist(), curve.test_acc) == ([0, 1, 2], [1, 1, 1], 0.5)
        assert converted(path, "wandb-csv", trial_id="run_id").keys() == {"abc", "def"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("Step,Group: relu - val_acc\n0,0.1\n", "column Group: relu - val_acc is an average over a group of runs"),
            (
                "Step,r - a,r - a__MIN,r - a__MAX\n0,0.2,0.1,0.3\n",
                "row 1, column r - a: is a mean of several evaluations",
            ),
            ("Step,r - a,r - a\n0,0.2,0.1\n", "the column r - a occurs twice: runs need names of their own"),
            ("a,b\n1,2\n", "is no export of W&B that can be read"),
            ("Step,r - val_acc\n0,0.1\n", "the column seed is missing|the column activation is missing"),
            ("Name,seed\nx,1\nx,2\n", "row 2: a second run is called x"),
            ("Name,seed\nx,1\n", "no runs are in it"),
            ("", "is no export of W&B that can be read"),
            ("run,epoch\nx" + "y" * 200_000 + ",1\n", "cannot be read as CSV: field larger than field limit"),
            ("run,epoch\nx,\udcff\n", "cannot be read as CSV: 'utf-8' codec can't decode"),
            (
                "run,epoch,val_acc,activation,seed\nx,1,,relu,0\ny,1,0.5,tanh,0\n",
                "the run x has no val_acc at any epoch",
            ),
        ],
    )
    def test_what_cannot_be_read(self, tmp_path: Path, content: str, message: str) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(TableError, match=message):
            converted(path, "wandb-csv")

    def test_of_epochs_without_an_accuracy_those_with_a_bad_loss_are_kept(self, tmp_path: Path) -> None:
        rows = make_rows(arms=("relu", "tanh"), seeds=(0,), norm=1.0)
        rows[1].update(val_acc=None, norm=NAN)
        rows[6].update(val_acc=None, train_loss=NAN, status=None)
        rows.pop(5)
        curves = converted(write_csv(tmp_path / "a.csv", rows), "wandb-csv", trial_id="trial_id")
        assert curves["relu-0"].curve.epoch.tolist() == [0, 2, 3]
        assert curves["tanh-0"].curve.epoch.tolist() == [0, 2, 3]

    def test_a_folder_without_files(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="no CSV files are in this folder"):
            converted(tmp_path, "wandb-csv")


def test_the_command_reads_a_folder_and_names_the_study_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports.v2").mkdir()
    rows = [row | {"run": row.pop("trial_id")} for row in make_rows()]
    write_csv(tmp_path / "exports.v2" / "history.csv", rows)
    run_analyze(["exports.v2", "--from", "wandb-csv", "--no-report"])
    assert json.loads(Path("analysis/results.json").read_text())["study"]["name"] == "exports.v2"
    assert "relu/3" in capsys.readouterr().out
