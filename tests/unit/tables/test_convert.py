"""Logs of other tools: event files by TensorBoard's own writer, W&B's and Tune's files as those tools write them."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from torch.utils.tensorboard import SummaryWriter

from actsweep.analysis import TrialCurve
from actsweep.errors import RequestError, TableError
from actsweep.tables import analyze, run_analyze, trial_curves
from actsweep.tables.convert import open_source
from actsweep.tables.read import table_of
from actsweep.tables.schema import Schema
from curve_tables import Row, make_rows, write_csv

NAN = float("nan")


def converted(path: Path, kind: str, **mapping: str) -> dict[str, TrialCurve]:
    schema = Schema(mapping=mapping)
    return {trial.trial_id: trial for trial in trial_curves(table_of(open_source(path, kind, schema), schema))}


def place(trial: TrialCurve) -> tuple[Any, ...]:
    return trial.arm, trial.strata, trial.lr, trial.seed


class TestTensorBoard:
    Write = Callable[..., None]

    @pytest.fixture
    def run(self, tmp_path: Path) -> Write:
        """Write a run of 4 epochs with TensorBoard's own writer."""

        def write(name: str, hyperparameters: Row | None = None, first: int = 0, **scalars: Sequence[float]) -> None:
            with SummaryWriter(str(tmp_path / "logs" / name)) as writer:
                for tag, values in {"val_acc": [0.1, 0.3, 0.5, 0.7], **scalars}.items():
                    for step, value in enumerate(values, start=first):
                        writer.add_scalar(tag, value, step)
                if hyperparameters is not None:
                    writer.add_hparams(hyperparameters, {"hparam/accuracy": 0.7})

        return write

    def test_hyperparameters_are_the_settings_and_steps_the_epochs(self, tmp_path: Path, run: Write) -> None:
        for arm in ("relu", "tanh"):
            run(
                f"{arm}/0",
                {"activation": arm, "seed": 7, "lr": 0.1, "depth": 3, "norm": True},
                train_loss=[2, 1, 0.5, 0],
            )
        trials = converted(tmp_path / "logs", "tensorboard")
        assert set(trials) == {"relu/0", "tanh/0"}
        assert place(trials["tanh/0"]) == ("tanh", (3,), 0.1, 7)
        curve = trials["relu/0"].curve
        assert curve.epoch.tolist() == [0, 1, 2, 3]
        assert curve.val_acc.tolist() == [0.1, 0.3, 0.5, 0.7]
        assert (curve.step, curve.status) == (None, None)

    def test_a_folder_name_spells_settings_out(self, tmp_path: Path, run: Write) -> None:
        for arm in ("relu", "tanh"):
            run(f"activation={arm},lr=1e-3,seed=4")
        trials = converted(tmp_path / "logs", "tensorboard")
        assert place(trials["activation=relu,lr=1e-3,seed=4"]) == ("relu", (None,), 0.001, 4)

    def test_with_a_tag_epoch_the_last_value_of_each_epoch_counts(self, tmp_path: Path, run: Write) -> None:
        """As a trainer logs that counts batches as steps and epochs from 0."""
        for arm in ("relu", "tanh"):
            run(
                f"activation={arm} seed=0",
                epoch=[0, 0, 1, 1],
                first=10,
                test_acc=[0, 0, 0, 0.6],
                val_acc=[0.1, 0.2, NAN, 0.4],
            )
        trials = converted(tmp_path / "logs", "tensorboard", epoch="epoch+1")
        curve = trials["activation=relu seed=0"].curve
        assert curve.epoch.tolist() == [1, 2]
        assert curve.val_acc.tolist() == [0.2, 0.4]
        assert curve.step is not None
        assert curve.step.tolist() == [11, 13]
        assert curve.test_acc == 0.6

    def test_a_loss_that_is_not_finite_is_kept(self, tmp_path: Path, run: Write) -> None:
        for arm in ("relu", "tanh"):
            run(f"activation={arm},seed=0", train_loss=[2, 1, math.nan, math.inf])
        curve = converted(tmp_path / "logs", "tensorboard")["activation=tanh,seed=0"].curve
        assert curve.train_loss is not None
        assert curve.train_loss.tolist() == [2, 1, math.inf, math.inf]

    def test_a_restarted_run_has_several_files_and_the_later_one_counts(self, tmp_path: Path, run: Write) -> None:
        for arm in ("relu", "tanh"):
            run(f"activation={arm},seed=0")
        run("activation=relu,seed=0", val_acc=[0.6, 0.8], first=2)
        curve = converted(tmp_path / "logs", "tensorboard")["activation=relu,seed=0"].curve
        assert curve.val_acc.tolist() == [0.1, 0.3, 0.6, 0.8]

    def test_what_cannot_be_read(self, tmp_path: Path, run: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "logs").mkdir()
        with pytest.raises(TableError, match="holds no event files"):
            converted(tmp_path / "logs", "tensorboard")
        run("a", val_loss=[1, 2])
        with pytest.raises(
            TableError, match=r"the column activation is missing; the file has trial_id, epoch, .*val_loss"
        ):
            converted(tmp_path / "logs", "tensorboard")
        with pytest.raises(TableError, match="is no folder"):
            converted(next((tmp_path / "logs" / "a").iterdir()), "tensorboard")
        monkeypatch.setitem(sys.modules, "tensorboard", None)
        with pytest.raises(
            RequestError, match=r"needs the package tensorboard: pip install '/path/to/clone\[tensorboard\]'"
        ):
            converted(tmp_path / "logs", "tensorboard")

    def test_a_file_that_was_cut_off_is_read_up_to_there(self, tmp_path: Path, run: Write) -> None:
        for arm in ("relu", "tanh"):
            run(f"activation={arm},seed=0")
        (file,) = (tmp_path / "logs" / "activation=tanh,seed=0").iterdir()
        file.write_bytes(file.read_bytes()[:-7])
        with pytest.raises(TableError, match=r"trial activation=tanh,seed=0: this replicate ends at epoch 2.0"):
            converted(tmp_path / "logs", "tensorboard")


class TestTune:
    Write = Callable[..., Path]

    @pytest.fixture
    def trial(self, tmp_path: Path) -> Write:
        """Write a trial's folder as Tune's own callbacks do."""

        def write(place: int, config: Row, rows: Sequence[Row], **files: str) -> Path:
            folder = tmp_path / "exp" / f"train_4783a_{place:05}_{place}_lr=0.1_2026-11-24_21-37-44"
            folder.mkdir(parents=True)
            (folder / "params.json").write_text(json.dumps(config, indent=2, sort_keys=True))
            extra = {
                "done": False,
                "trial_id": f"4783a_{place:05}",
                "pid": 1,
                "config": config,
                "checkpoint_dir_name": None,
            }
            lines = [
                json.dumps({**row, **extra, "training_iteration": number, "time_total_s": 0.5 * number})
                for number, row in enumerate(rows, start=1)
            ]
            (folder / "result.json").write_text("".join(f"{line}\n" for line in lines))
            for name, content in files.items():
                (folder / name.replace("_", ".")).write_text(content)
            return folder

        return write

    ROWS = ({"val_acc": 0.1, "train": {"loss": 2.0}}, {"val_acc": 0.4, "train": {"loss": NAN}, "test_acc": 0.5})

    def test_parameters_are_settings_and_iterations_epochs(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            trial(index, {"model": {"activation": arm, "depth": 3}, "seed": 1, "lr": 0.1}, self.ROWS)
        trials = converted(tmp_path / "exp", "ray", train_loss="train/loss", seconds="time_total_s")
        assert place(trials["4783a_00001"]) == ("tanh", (3,), 0.1, 1)
        curve = trials["4783a_00000"].curve
        assert (curve.epoch.tolist(), curve.val_acc.tolist(), curve.test_acc) == ([1, 2], [0.1, 0.4], 0.5)
        assert curve.train_loss is not None
        assert curve.seconds is not None
        assert (curve.train_loss.tolist(), curve.seconds.tolist()) == ([2, math.inf], [0.5, 1])

    def test_python_reads_them_as_the_command_does(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            trial(index, {"activation": arm, "seed": 1}, self.ROWS)
        study = analyze(tmp_path / "exp", kind="ray", mapping={"train_loss": "train/loss"})["study"]
        assert (study["name"], study["arms"], study["trials"]["replicate"]) == ("exp", ["relu", "tanh"], 2)
        with pytest.raises(RequestError, match="kind=mlflow: there are csv, wandb-csv, tensorboard, ray, wandb"):
            analyze(tmp_path / "exp", kind="mlflow")

    def test_a_metric_epoch_goes_before_the_iteration(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            rows = [{"epoch": epoch, "val_acc": 0.5, "train_loss": "null"} for epoch in (0, 1)]
            trial(index, {"activation": arm, "seed": 1}, rows)
        curve = converted(tmp_path / "exp", "ray")["4783a_00001"].curve
        assert curve.epoch.tolist() == [0, 1]
        assert curve.train_loss is not None
        assert curve.train_loss.tolist() == [math.inf, math.inf]

    def test_rows_that_a_restored_trial_reports_again_replace_the_first(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            rows = [{"epoch": epoch, "val_acc": acc} for epoch, acc in ((1, 0.1), (2, 0.2), (2, 0.3), (3, 0.4))]
            trial(index, {"activation": arm, "seed": 1}, rows)
        assert converted(tmp_path / "exp", "ray")["4783a_00001"].curve.val_acc.tolist() == [0.1, 0.3, 0.4]

    def test_failed_trials_are_known_by_the_experiment_or_by_their_error(self, tmp_path: Path, trial: Write) -> None:
        configs = [{"activation": arm, "seed": seed} for arm in ("relu", "tanh") for seed in range(2)]
        folders = [trial(index, config, self.ROWS) for index, config in enumerate(configs)]
        folders.append(trial(4, {"activation": "relu", "seed": 9}, [], error_txt="Traceback"))
        folders.append(trial(5, {"activation": "relu", "seed": 8}, self.ROWS, error_txt="failed once, then went on"))
        states = ["TERMINATED", "ERROR", "TERMINATED", "TERMINATED", None, "TERMINATED"]
        data = [
            [json.dumps({"relative_logdir": folder.name, "status": state}), "{}"]
            for folder, state in zip(folders, states, strict=True)
            if state
        ]
        (tmp_path / "exp" / "experiment_state-2026-11-24_21-37-44.json").write_text(json.dumps({"trial_data": data}))
        trials = converted(tmp_path / "exp", "ray")
        assert {name for name, trial in trials.items() if trial.failed} == {"4783a_00001", folders[4].name}
        assert len(trials) == 6

    def test_progress_csv_serves_where_result_json_is_missing(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            progress = "val_acc,train_loss,training_iteration,trial_id\n0.1,2.0,1,x\n0.2,nan,2,x\n".replace("x", arm)
            folder = trial(index, {"activation": arm, "seed": 1}, [], progress_csv=progress)
            (folder / "result.json").unlink()
        curve = converted(tmp_path / "exp", "ray")["relu"].curve
        assert curve.train_loss is not None
        assert (curve.epoch.tolist(), curve.train_loss.tolist()) == ([1, 2], [2, math.inf])

    def test_what_cannot_be_read(self, tmp_path: Path, trial: Write) -> None:
        (tmp_path / "exp").mkdir()
        with pytest.raises(TableError, match="holds no trials of Ray Tune"):
            converted(tmp_path / "exp", "ray")
        folder = trial(0, {"activation": "relu", "seed": 1}, self.ROWS)
        for content in ("[1]\n", '{"a": \n', "\udcff", "[" * 100_000 + "\n", '{"a": 1' + "0" * 5000 + "}\n"):
            (folder / "result.json").write_bytes(content.encode(errors="surrogateescape"))
            with pytest.raises(TableError, match=r"result.json: is damaged|val_acc is missing"):
                converted(tmp_path / "exp", "ray")
        (folder / "result.json").unlink()
        (folder / "params.json").write_text("3")
        with pytest.raises(TableError, match=r"params.json: is damaged"):
            converted(tmp_path / "exp", "ray")
        with pytest.raises(TableError, match="is no folder"):
            converted(folder / "params.json", "ray")

    def test_the_last_line_may_be_cut_off(self, tmp_path: Path, trial: Write) -> None:
        for index, arm in enumerate(("relu", "tanh")):
            folder = trial(index, {"activation": arm, "seed": 1}, self.ROWS)
            with (folder / "result.json").open("a") as file:
                file.write('{"val_acc": 0.')
        assert converted(tmp_path / "exp", "ray")["4783a_00001"].curve.epoch.tolist() == [1, 2]


class TestWandb:
    ARMS = ("activation=relu, seed=0", "activation=tanh, seed=0")

    def chart(self, path: Path, metric: str, values: Sequence[Any], axis: str = "epoch", **extremes: Any) -> Path:
        rows = []
        for place, value in enumerate(values):
            row: Row = {axis: place}
            for run in self.ARMS:
                row[f"{run} - _step"] = row[f"{run} - _step__MIN"] = row[f"{run} - _step__MAX"] = 100 * place
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
