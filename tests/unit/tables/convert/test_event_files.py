"""Runs of TensorBoard, as its own writer writes them."""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from actsweep.errors import RequestError, TableError
from converted import converted, place
from curve_tables import Row

NAN = float("nan")


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
