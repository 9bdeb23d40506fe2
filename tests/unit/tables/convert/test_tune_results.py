"""A folder of Ray Tune's results, as Tune writes it."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from actsweep.errors import RequestError, TableError
from actsweep.tables import analyze
from converted import converted, place
from curve_tables import Row

NAN = float("nan")


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
