import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional

from actsweep.curves import Curve
from actsweep.data import Batches, Data, DataModule, eval_batches
from actsweep.events import Row
from actsweep.model import Classifier, evaluate
from actsweep.records import Attempt
from actsweep.settings import TrialConfig
from actsweep.train import train
from alike import same

GOLDEN = Path(__file__).parents[2] / "golden" / "digits_curve.json"
Trial = tuple[TrialConfig, Data]


def rows_of(trial: Trial) -> tuple[Curve, list[Row]]:
    rows: list[Row] = []
    return train(*trial, rows.append), rows


def test_a_curve_has_an_evaluation_before_training_and_after_each_epoch(trial: Callable[..., Trial]) -> None:
    curve, rows = rows_of(trial())
    assert curve.epoch.tolist() == [0, 1, 2, 3] == [row["epoch"] for row in rows]
    assert curve.step is not None
    assert curve.step.tolist() == [0, 8, 16, 24]
    assert curve.status == "completed"
    assert all("test_acc" not in row for row in rows)


def test_the_network_learns(trial: Callable[..., Trial]) -> None:
    curve, _ = rows_of(trial("trainer.epochs=15"))
    assert curve.val_acc[0] < 0.3
    assert curve.val_acc[-1] > 0.7


def test_the_golden_curve(trial: Callable[..., Trial]) -> None:
    """The training loop is guarded number by number; the tolerance is for other processors' order of summation."""
    golden = json.loads(GOLDEN.read_text())
    curve, _ = rows_of(trial())
    for name in ("val_acc", "val_loss", "train_acc", "train_loss", "grad_slope"):
        np.testing.assert_allclose(getattr(curve, name), golden[name], rtol=1e-4, err_msg=name)
    assert curve.test_acc == pytest.approx(golden["test_acc"], abs=1 / 128)


def test_the_same_trial_twice_gives_the_same_curve_whatever_came_between(trial: Callable[..., Trial]) -> None:
    first, _ = rows_of(trial())
    rows_of(trial("model.activation=sigmoid", "trainer.threads=2", "model.norm=batch", "seed=5"))
    torch.rand(7)
    again, _ = rows_of(trial())
    assert same(first, again)


def test_a_fresh_process_gives_the_same_curve(trial: Callable[..., Trial], tmp_path: Path) -> None:
    config, data = trial()
    rows_of(trial("model.activation=sigmoid"))
    code = (
        "import json, sys\n"
        "from actsweep.data import load, prepare\n"
        "from actsweep.settings import TrialConfig\n"
        "from actsweep.train import train\n"
        "config = TrialConfig.model_validate_json(sys.stdin.read())\n"
        "curve = train(config, load(prepare(config.data), config.data))\n"
        "print(json.dumps([curve.val_loss.tolist(), curve.train_loss.tolist(), curve.test_loss]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=config.model_dump_json(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    curve = train(config, data)
    assert curve.val_loss is not None
    assert curve.train_loss is not None
    assert json.loads(done.stdout) == [curve.val_loss.tolist(), curve.train_loss.tolist(), curve.test_loss]


def test_another_seed_gives_another_curve(trial: Callable[..., Trial]) -> None:
    assert not same(rows_of(trial())[0], rows_of(trial("seed=1"))[0])


@pytest.mark.parametrize("words", [(), ("data.augment=true",), ("model.dropout=0.3",), ("model.norm=batch",)])
def test_measuring_more_often_changes_nothing(trial: Callable[..., Trial], words: tuple[str, ...]) -> None:
    often, _ = rows_of(trial("trainer.epochs=4", *words))
    seldom, _ = rows_of(trial("trainer.epochs=4", "trainer.eval_every=4", *words))
    assert seldom.epoch.tolist() == [0, 4]
    assert (often.val_acc[-1], often.test_loss) == (seldom.val_acc[-1], seldom.test_loss)


def fresh(config: TrialConfig, data: Data) -> tuple[Classifier, Batches]:
    torch.manual_seed(config.seed)
    module = Classifier(config.model, config.optimizer, data.image_shape, data.classes)
    stream = np.random.SeedSequence(config.seed, spawn_key=(1,)).generate_state(1, np.uint64)[0] >> 1
    generator = torch.Generator().manual_seed(int(stream))
    augment = config.data.augment
    return module, Batches(
        data.train, config.data.batch_size, mean=data.mean, std=data.std, augment=augment, generator=generator
    )


def losses_of(module: Classifier, data: Data) -> list[float]:
    splits = (data.probe, data.val, data.test)
    return [evaluate(module, eval_batches(split, 500, mean=data.mean, std=data.std)).loss for split in splits]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("data.augment=true",),
        ("model.dropout=0.3",),
        ("optimizer=sgd", "optimizer.lr=0.1", "optimizer.nesterov=true"),
        ("optimizer.schedule=cosine", "optimizer.warmup=0.5"),
        ("optimizer=sgd", "optimizer.lr=0.1", "optimizer.schedule=one_cycle", "optimizer.clip=0.5"),
        ("optimizer.schedule=step", "optimizer.step_epochs=1", "optimizer.gamma=0.3"),
        ("optimizer.warmup=2", "optimizer.label_smoothing=0.2"),
    ],
)
def test_a_stock_trainer_gives_the_same_network(trial: Callable[..., Trial], words: tuple[str, ...]) -> None:
    config, data = trial(*words)
    curve = train(config, data)
    module, batches = fresh(config, data)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=config.trainer.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, train_dataloaders=batches)
    assert curve.train_loss is not None
    assert curve.val_loss is not None
    assert losses_of(module, data) == [curve.train_loss[-1], curve.val_loss[-1], curve.test_loss]


@pytest.mark.parametrize(
    "words",
    [
        ("data.augment=true", "model.dropout=0.3", "model.norm=batch"),
        ("optimizer=sgd", "optimizer.lr=0.1", "optimizer.schedule=one_cycle", "optimizer.clip=0.5", "seed=7"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")
def test_a_stock_trainer_gives_the_same_weights_with_the_data_module(
    trial: Callable[..., Trial], tmp_path: Path, words: tuple[str, ...]
) -> None:
    config, data = trial(*words)
    train(config, data, attempt=Attempt(tmp_path))
    batches = DataModule(config.data, seed=config.seed)
    torch.manual_seed(config.seed)
    module = Classifier(config.model, config.optimizer, batches.loaded.image_shape, batches.loaded.classes)
    pl.Trainer(
        accelerator="cpu",
        max_epochs=config.trainer.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(module, batches)
    expected = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(weight, expected[name]) for name, weight in module.state_dict().items())


def test_no_step_of_a_trial_logs_anything(trial: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would cost as much as a small network's step, and could not be captured in a CUDA graph."""
    logged: list[object] = []
    for name in ("log", "log_dict"):
        monkeypatch.setattr(Classifier, name, lambda self, *given, **how: logged.append(given))
    assert train(*trial()).status == "completed"
    assert logged == []


def test_a_bare_loop_gives_the_same_network(trial: Callable[..., Trial]) -> None:
    config, data = trial("data.augment=true")
    curve = train(config, data)
    module, batches = fresh(config, data)
    optimizer = module.configure_optimizers()
    for _ in range(config.trainer.epochs):
        for images, labels in batches:
            optimizer.zero_grad()
            functional.cross_entropy(module(images), labels).backward()
            optimizer.step()
    assert curve.train_loss is not None
    assert curve.val_loss is not None
    assert losses_of(module, data) == [curve.train_loss[-1], curve.val_loss[-1], curve.test_loss]


def test_a_diverging_trial_is_stopped_and_keeps_its_rows(trial: Callable[..., Trial]) -> None:
    curve, rows = rows_of(trial("optimizer=sgd", "optimizer.lr=1e6", "model.init=he"))
    assert curve.status == "diverged"
    assert len(rows) == 2
    assert curve.test_acc is None
    loss = rows[-1]["train_loss"]
    assert not math.isfinite(loss) or loss > 2 * math.log(10)


def test_training_seconds_leave_measuring_out(trial: Callable[..., Trial]) -> None:
    config, data = trial()
    slow = train(config, data, lambda row: [math.sqrt(x) for x in range(400_000)] and None)
    quick = train(config, data)
    assert slow.seconds is not None
    assert quick.seconds is not None
    assert (np.diff(quick.seconds) > 0).all()
    assert slow.seconds[-1] < 2 * quick.seconds[-1] + 0.02
    assert quick.seconds[0] == 0


def test_weights_load_without_us_and_give_the_recorded_accuracy(trial: Callable[..., Trial], tmp_path: Path) -> None:
    config, data = trial("trainer.epochs=6", "optimizer.lr=0.05")
    curve = train(config, data, attempt=Attempt(tmp_path))
    for name, expected in (("last", curve.test_acc), ("best", curve.best_test_acc)):
        content = torch.load(tmp_path / f"{name}.ckpt", weights_only=True)
        module = Classifier(**content["hyper_parameters"])
        module.load_state_dict(content["state_dict"])
        measured = evaluate(module, eval_batches(data.test, 500, mean=data.mean, std=data.std))
        assert measured.accuracy == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "resume.ckpt"]


def test_lightning_can_load_the_weights(trial: Callable[..., Trial], tmp_path: Path) -> None:
    config, data = trial()
    curve = train(config, data, attempt=Attempt(tmp_path))
    module = Classifier.load_from_checkpoint(tmp_path / "last.ckpt", weights_only=True)
    assert evaluate(module, eval_batches(data.test, 500, mean=data.mean, std=data.std)).accuracy == curve.test_acc


def test_a_stock_trainer_can_test_the_weights(trial: Callable[..., Trial], tmp_path: Path) -> None:
    config, data = trial()
    curve = train(config, data, attempt=Attempt(tmp_path))
    module = Classifier(config.model, config.optimizer, data.image_shape, data.classes)
    stock = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    batches = DataModule(config.data, seed=config.seed)
    (logged,) = stock.test(module, batches, ckpt_path=tmp_path / "last.ckpt", weights_only=True, verbose=False)
    assert logged == pytest.approx({"test_loss": curve.test_loss, "test_acc": curve.test_acc}, rel=1e-5)


def test_half_precision_learns_about_the_same(trial: Callable[..., Trial]) -> None:
    full, _ = rows_of(trial("trainer.epochs=10"))
    half, _ = rows_of(trial("trainer.epochs=10", "trainer.precision=bf16"))
    assert not same(full, half)
    assert half.val_acc[-1] == pytest.approx(full.val_acc[-1], abs=0.15)


def test_a_job_of_slurm_around_it_changes_nothing(
    trial: Callable[..., Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """Lightning by itself would take its words for an order to spread over nodes."""
    expected, _ = rows_of(trial())
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name, value in {"JOB_ID": "7", "JOB_NAME": "x", "NTASKS": "4", "NTASKS_PER_NODE": "2", "PROCID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    curve, _ = rows_of(trial())
    assert same(curve, expected)
    assert [str(warning.message) for warning in recwarn if "srun" in str(warning.message)] == []
