"""One trial: from its configuration and data to its curve; the only place with a Lightning Trainer."""

import logging
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from actsweep.curves import Curve, first_bad, stack
from actsweep.data import Batches, Data, Split, eval_batches
from actsweep.errors import RequestError
from actsweep.events import Row
from actsweep.model import Classifier, Evaluation, evaluate, probe
from actsweep.settings import TrainerSettings, TrialConfig

EVAL_BATCH = 500
MECHANISM_BATCH = 128
_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}
_ORDER_STREAM = 1


def train(
    config: TrialConfig,
    data: Data,
    on_evaluation: Callable[[Row], None] | None = None,
    checkpoints: Path | None = None,
) -> Curve:
    """Train one trial and measure it.

    Every evaluation is in eval mode, without augmentation, on the train probe and the validation split: before training
    (epoch 0), then every `trainer.eval_every` epochs. The test split is read once, after the last epoch, at the final
    and at the best-validation weights. A trial whose loss diverges is stopped at that evaluation.

    Args:
        config: the trial.
        data: the splits; see `actsweep.data.load`.
        on_evaluation: called with each row of the curve as soon as it is measured; see `Curve.from_rows`.
        checkpoints: a folder for the final and the best-validation weights (`last.ckpt`, `best.ckpt`).

    Returns:
        the curve, with `status` completed or diverged.

    Raises:
        RequestError: a GPU is asked for and there is none.
    """
    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise RequestError(
            "trainer.accelerator=gpu: no CUDA device is visible here; trainer=cpu trains on the processor"
        )
    clean_state(config)
    module = new_module(config, data)
    with _quiet():
        trainer = _trainer(config.trainer)
        device = trainer.strategy.root_device
        recorder = _Recorder(config.trainer, module, data.to(device), on_evaluation or (lambda row: None))
        trainer.callbacks.append(recorder)  # type: ignore[attr-defined]
        trainer.fit(module, train_dataloaders=training_batches(config, data, device))
    if checkpoints is not None:
        _save_weights(checkpoints, module, recorder.best_weights)
    return recorder.curve


def clean_state(config: TrialConfig) -> None:
    """What a process that has trained before must forget, so that its next curve is that of a fresh process."""
    torch.set_num_threads(config.trainer.threads)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    random.seed(config.seed)
    np.random.seed(config.seed % 2**32)  # noqa: NPY002 - libraries that draw from numpy's global generator
    torch.manual_seed(config.seed)


def new_module(config: TrialConfig, data: Data) -> Classifier:
    """The trial's network with its initial weights, drawn from torch's global generator."""
    return Classifier(config.model, config.optimizer, data.image_shape, data.classes)


def training_batches(config: TrialConfig, data: Data, device: torch.device) -> Batches:
    """The trial's minibatches, drawn from a generator of its own."""
    sequence = np.random.SeedSequence(config.seed, spawn_key=(_ORDER_STREAM,))
    generator = torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))
    return Batches(
        data.train,
        config.data.batch_size,
        mean=data.mean,
        std=data.std,
        augment=config.data.augment,
        generator=generator,
        device=device,
    )


def _trainer(settings: TrainerSettings) -> pl.Trainer:
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision=_PRECISIONS[settings.precision],  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's notes on hardware and loaders off the user's screen."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            yield
    finally:
        logger.setLevel(level)


def _save_weights(folder: Path, module: Classifier, best: dict[str, Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    hparams = dict(module.hparams)
    for name, weights in (("last", module.state_dict()), ("best", best)):
        temporary = folder / f".{name}.ckpt"
        content = {
            "state_dict": weights,
            "hyper_parameters": hparams,
            "pytorch-lightning_version": version("pytorch-lightning"),
        }
        torch.save(content, temporary)
        temporary.replace(folder / f"{name}.ckpt")


def _copy(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in module.state_dict().items()}


class _Stopwatch:
    """Exclusive training time: the thread's CPU time on a CPU, wall time between synchronised points on a GPU."""

    def __init__(self, accelerator: str) -> None:
        self.source = "cpu" if accelerator == "cpu" else "wall"
        self.seconds = 0.0
        self._started = 0.0

    def start(self) -> None:
        self._started = self._now()

    def stop(self) -> None:
        self.seconds += self._now() - self._started

    def _now(self) -> float:
        if self.source == "cpu":
            return time.thread_time()
        torch.cuda.synchronize()
        return time.perf_counter()


class _Recorder(pl.Callback):
    """Measures at epoch 0 and between epochs; what it does is in no training time."""

    def __init__(
        self, settings: TrainerSettings, module: Classifier, data: Data, on_evaluation: Callable[[Row], None]
    ) -> None:
        self._settings = settings
        self._module = module
        self._data = data
        self._mechanism_batch = Split(data.probe.images[:MECHANISM_BATCH], data.probe.labels[:MECHANISM_BATCH])
        self._on_evaluation = on_evaluation
        self._watch = _Stopwatch(settings.accelerator)
        self._began = time.perf_counter()
        self._best_accuracy = -1.0
        self._rows: list[dict[str, Any]] = []
        self.best_weights: dict[str, Tensor] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._evaluate(trainer.global_step, epoch=0)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._watch.start()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._watch.stop()
        epoch = trainer.current_epoch + 1
        if epoch % self._settings.eval_every == 0:
            self._evaluate(trainer.global_step, epoch)
            trainer.should_stop = self._diverged

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._diverged:
            self._rows[-1]["status"] = "diverged"
            return
        last = self._measure(self._data.test)
        final_weights = _copy(self._module)
        self._module.load_state_dict(self.best_weights)
        best = self._measure(self._data.test)
        self._module.load_state_dict(final_weights)
        end = {"test_loss": last.loss, "test_acc": last.accuracy, "best_test_acc": best.accuracy}
        self._rows[-1] |= {"status": "completed", **end}

    @property
    def curve(self) -> Curve:
        """The rows measured so far."""
        return Curve.from_rows(self._rows)

    @property
    def _diverged(self) -> bool:
        return bool(first_bad(stack([self.curve]), self._data.classes)[0] < len(self._rows))

    def _evaluate(self, step: int, epoch: int) -> None:
        on_probe, on_val = self._measure(self._data.probe), self._measure(self._data.val)
        row = {
            "epoch": epoch,
            "step": step,
            "seconds": self._watch.seconds,
            "seconds_from": self._watch.source,
            "wall": time.perf_counter() - self._began,
            "train_loss": on_probe.loss,
            "train_acc": on_probe.accuracy,
            "val_loss": on_val.loss,
            "val_acc": on_val.accuracy,
            **self._mechanism(),
        }
        self._rows.append(row)
        if on_val.accuracy > self._best_accuracy:
            self._best_accuracy = on_val.accuracy
            self.best_weights = _copy(self._module)
        self._on_evaluation(dict(row))

    def _mechanism(self) -> dict[str, float]:
        images, labels = next(self._batches(self._mechanism_batch))
        seen = probe(self._module, images, labels)
        shares = {"grad_slope": seen.grad_slope, "saturated": seen.saturated, "dead": seen.dead}
        return {name: value for name, value in shares.items() if value is not None}

    def _measure(self, split: Split) -> Evaluation:
        with torch.autocast(self._module.device.type, torch.bfloat16, enabled=self._settings.precision == "bf16"):
            return evaluate(self._module, self._batches(split))

    def _batches(self, split: Split) -> Iterator[tuple[Tensor, Tensor]]:
        return eval_batches(split, EVAL_BATCH, mean=self._data.mean, std=self._data.std, device=self._module.device)
