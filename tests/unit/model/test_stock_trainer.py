"""What a stock Trainer asks of the module: fit, validate, test and predict, metrics and hyperparameters."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from actsweep.model import Classifier, evaluate

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")
STILL = {"name": "sgd", "lr": 1e-12}  # so that an epoch's loss is that of one network


@pytest.fixture
def data() -> TensorDataset:
    """Images that make batches of 16, 16 and 10."""
    return TensorDataset(torch.randn(42, 1, 8, 8), torch.arange(42) % 10)


@pytest.fixture
def stock(tmp_path):
    """A Trainer that writes where it is told to and keeps quiet."""

    def build(**changes):
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        kept = {"max_epochs": 1, "enable_checkpointing": False, "default_root_dir": tmp_path}
        return pl.Trainer(**{"accelerator": "cpu", **quiet, **kept, **changes})

    return build


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_training_loss_of_an_epoch_is_the_mean_over_its_images(classifier, data, stock, smoothing):
    module = classifier(optimizer={**STILL, "label_smoothing": smoothing})
    trainer = stock()
    trainer.fit(module, DataLoader(data, batch_size=16))
    expected = module.loss(data.tensors).item()
    assert trainer.callback_metrics["train_loss"].item() == pytest.approx(expected, rel=1e-5)


def test_training_stops_where_its_loss_does_not_fall(classifier, data, stock):
    trainer = stock(max_epochs=9, callbacks=[EarlyStopping("train_loss", patience=1, min_delta=0.1)])
    trainer.fit(classifier(optimizer=STILL), DataLoader(data, batch_size=16))
    assert trainer.current_epoch == 2


def test_a_loggers_files_hold_metrics_and_hyperparameters(classifier, data, stock, tmp_path):
    batches = DataLoader(data, batch_size=16)
    logger = CSVLogger(tmp_path)
    trainer = stock(logger=logger)
    module = classifier(optimizer={"lr": 0.02})
    trainer.fit(module, batches, batches)
    trainer.test(module, batches, verbose=False)
    folder = Path(logger.log_dir)
    rows = csv.DictReader((folder / "metrics.csv").read_text().splitlines())
    logged = {name for row in rows for name, value in row.items() if value}
    assert logged == {"epoch", "step", "train_loss", "val_loss", "val_acc", "test_loss", "test_acc"}
    assert pl.core.saving.load_hparams_from_yaml(folder / "hparams.yaml")["optimizer"]["lr"] == 0.02


def test_it_is_tested_as_it_is_evaluated(classifier, data, stock):
    module = classifier(norm="batch")
    (logged,) = stock().test(module, DataLoader(data, batch_size=16), verbose=False)
    expected = evaluate(module, [data.tensors])
    assert logged == pytest.approx({"test_loss": expected.loss, "test_acc": expected.accuracy}, rel=1e-5)


def test_predicted_are_logits_with_labels_beside_the_images_or_without(classifier, data, stock):
    module = classifier(norm="batch", dropout=0.5)
    images = data.tensors[0]
    of_pairs = stock().predict(module, DataLoader(data, batch_size=16))
    of_images = stock().predict(module, DataLoader(images, batch_size=16))
    expected = module.eval()(images)
    torch.testing.assert_close(torch.cat(of_pairs), expected)
    torch.testing.assert_close(torch.cat(of_images), expected)


def test_the_loss_by_itself_logs_nothing(classifier, data, monkeypatch):
    logged = []
    for name in ("log", "log_dict"):
        monkeypatch.setattr(Classifier, name, lambda self, *given, **how: logged.append(given))
    assert classifier().loss(data.tensors).requires_grad
    assert logged == []


def test_a_mapping_must_hold_all_settings(classifier):
    module = classifier(activation="tanh", optimizer={"lr": 0.02})
    again = Classifier(**module.hparams)
    assert again.hparams == module.hparams
    with pytest.raises(ValueError, match=r"(?s)depth.*Field required"):
        Classifier({"name": "cnn", "activation": "tanh"}, module.hparams["optimizer"], (1, 8, 8), 10)


SPREAD = """
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset
from actsweep import compose
from actsweep.model import Classifier, evaluate

config = compose("model.width=2", "optimizer.lr=1e-12")
data = TensorDataset(torch.randn(40, 1, 8, 8), torch.arange(40) % 10)
module = Classifier(config.model, config.optimizer, (1, 8, 8), 10)
expected = evaluate(module, [data.tensors])
batches = DataLoader(data, batch_size=8)
trainer = pl.Trainer(
    accelerator="cpu", devices=2, strategy="ddp_fork", max_epochs=1, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(module, batches, batches)
for name in ("train_loss", "val_loss"):
    torch.testing.assert_close(float(trainer.callback_metrics[name]), expected.loss, rtol=1e-4, atol=0)
torch.testing.assert_close(float(trainer.callback_metrics["val_acc"]), expected.accuracy, rtol=1e-4, atol=0)
"""


@pytest.mark.slow
def test_metrics_are_those_of_the_images_of_all_processes():
    done = subprocess.run([sys.executable, "-c", SPREAD], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
