"""The measurements before, between and after the epochs of a trial."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from actsweep.curves import GRAD_NORMS, Curve, first_bad, stack
from actsweep.data import EVAL_BATCH, Data, Split, eval_batches
from actsweep.errors import TrialTimeoutError
from actsweep.events import Row
from actsweep.model import Evaluation, evaluate, probe
from actsweep.settings import TrainerSettings
from actsweep.train.randomness import random_state, set_random_state
from actsweep.train.stopwatch import Stopwatch

MECHANISM_BATCH = 128


class CurveRecorder(pl.Callback):
    """Measures at epoch 0 and between epochs; what it does is in no training time.

    It sees nothing of the module but that `forward` gives logits; see `probe` for what it looks at where it can.

    Args:
        settings: the trainer's.
        module: what is trained.
        data: the splits, on the device that it is trained on.
        order: the generator of the data's order, whose state checkpoints hold.
        report: called with each row, once a checkpoint that holds it is written; after a resumption first with the
            rows that the checkpoint holds.
        should_stop: asked after each batch and each evaluation.
        checkpoint: where the Trainer writes a checkpoint after an evaluation; None for nowhere.
        checkpoint_seconds: of wall time, at least, between two checkpoints but for the last.

    Attributes:
        last_weights: those of the latest evaluation.
        best_weights: those of the evaluation with the highest validation accuracy, the first of equals.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        module: pl.LightningModule,
        data: Data,
        order: torch.Generator,
        report: Callable[[Row], None],
        should_stop: Callable[[], bool],
        checkpoint: Path | None,
        checkpoint_seconds: float,
    ) -> None:
        self._settings = settings
        self._module = module
        self._data = data
        self._order = order
        self._report = report
        self._should_stop = should_stop
        self._checkpoint = checkpoint
        self._checkpoint_seconds = checkpoint_seconds
        self._saved = time.monotonic()
        self._reported = 0
        self._mechanism_batch = Split(data.probe.images[:MECHANISM_BATCH], data.probe.labels[:MECHANISM_BATCH])
        self._watch = Stopwatch(settings.accelerator)
        self._began = time.perf_counter()
        self._stopped = False
        self._epoch = 0
        self._random_state: dict[str, Any] | None = None
        self._best_accuracy = -1.0
        self._rows: list[dict[str, Any]] = []
        self.last_weights: dict[str, Tensor] = {}
        self.best_weights: dict[str, Tensor] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure at epoch 0; or, in a resumed trial, go on from the states that the checkpoint holds."""
        if self._random_state is None:
            self._evaluate(trainer.global_step, epoch=0)
            self._report_rows()
        else:
            set_random_state(self._random_state, self._order)
        self._epoch = trainer.current_epoch
        trainer.should_stop = self.look_up()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin to count training time."""
        self._epoch = trainer.current_epoch
        self._watch.start()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure, if the epoch is one to be measured after, and write a checkpoint."""
        self._watch.stop()
        trainer.should_stop = self._stopped
        epoch = trainer.current_epoch + 1
        if self._stopped or epoch % self._settings.eval_every:
            return
        self._evaluate(trainer.global_step, epoch)
        diverged = self._diverged
        if self._checkpoint is None or diverged:
            self._report_rows()
        elif epoch == self._settings.epochs or time.monotonic() - self._saved >= self._checkpoint_seconds:
            trainer.save_checkpoint(self._checkpoint, weights_only=False)
            self._saved = time.monotonic()
            self._report_rows()
        trainer.should_stop = diverged or self.look_up()

    def state_dict(self) -> dict[str, Any]:
        """What the checkpoint holds of this trial beside module, optimizer and schedule."""
        return {
            "rows": json.dumps(self._rows),  # as one text, since each number by itself would take long to write
            "seconds": self._watch.seconds,
            "wall": self._wall,
            "best_accuracy": self._best_accuracy,
            "best_weights": None if self.best_weights is self.last_weights else self.best_weights,
            "random_state": random_state(self._order),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what a checkpoint holds, after the Trainer has loaded the module, and report its rows."""
        self._rows = json.loads(state_dict["rows"])
        self._watch.seconds = state_dict["seconds"]
        self._began -= state_dict["wall"]
        self._best_accuracy = state_dict["best_accuracy"]
        self._random_state = state_dict["random_state"]
        self.last_weights = _copy(self._module)
        self.best_weights = state_dict["best_weights"] or self.last_weights
        self._report_rows()

    def finish(self) -> Curve:
        """The whole curve: read the test split if the trial came to its last epoch, at the final and best weights."""
        if self._diverged or self._stopped:
            self._rows[-1]["status"] = "diverged" if self._diverged else "stopped"
            return Curve.from_rows(self._rows)
        last = self._measure_at(self.last_weights, self._data.test)
        best = last
        if self.best_weights is not self.last_weights:
            best = self._measure_at(self.best_weights, self._data.test)
        end = {"test_loss": last.loss, "test_acc": last.accuracy, "best_test_acc": best.accuracy}
        self._rows[-1] |= {"status": "completed", **end}
        return Curve.from_rows(self._rows)

    @property
    def _diverged(self) -> bool:
        curve = Curve.from_rows(self._rows)
        return bool(first_bad(stack([curve]), self._data.classes)[0] < len(self._rows))

    @property
    def _wall(self) -> float:
        """Seconds of wall time, those of earlier attempts up to their checkpoints included."""
        return time.perf_counter() - self._began

    def look_up(self) -> bool:
        """Whether the trial is to end here; to be called after each training step.

        Raises:
            TrialTimeoutError: it has taken too long.
        """
        limit = self._settings.trial_timeout
        if limit is not None and self._wall > limit:
            raise TrialTimeoutError(
                f"the trial took longer than trainer.trial_timeout={limit:g} seconds of wall time: at epoch "
                f"{self._epoch} of {self._settings.epochs}; set it higher, or to null"
            )
        self._stopped = self._stopped or self._should_stop()
        return self._stopped

    def _report_rows(self) -> None:
        for row in self._rows[self._reported :]:
            self._reported += 1
            self._report(dict(row))

    def _evaluate(self, step: int, epoch: int) -> None:
        on_probe, on_val = self._measure(self._data.probe), self._measure(self._data.val)
        self._rows.append(
            {
                "epoch": epoch,
                "step": step,
                "seconds": self._watch.seconds,
                "seconds_from": self._watch.source,
                "wall": self._wall,
                "train_loss": on_probe.loss,
                "train_acc": on_probe.accuracy,
                "val_loss": on_val.loss,
                "val_acc": on_val.accuracy,
                **self._mechanism(),
            }
        )
        self.last_weights = _copy(self._module)
        if on_val.accuracy > self._best_accuracy:
            self._best_accuracy = on_val.accuracy
            self.best_weights = self.last_weights

    def _mechanism(self) -> dict[str, float]:
        images, labels = next(self._batches(self._mechanism_batch))
        seen = probe(self._module, images, labels)
        shares = {"grad_slope": seen.grad_slope, "saturated": seen.saturated, "dead": seen.dead}
        by_layer = dict(zip(GRAD_NORMS, seen.grad_norms, strict=False))
        return {name: value for name, value in shares.items() if value is not None} | by_layer

    def _measure_at(self, weights: dict[str, Tensor], split: Split) -> Evaluation:
        self._module.load_state_dict(weights)
        return self._measure(split)

    def _measure(self, split: Split) -> Evaluation:
        with torch.autocast(self._module.device.type, torch.bfloat16, enabled=self._settings.precision == "bf16"):
            return evaluate(self._module, self._batches(split))

    def _batches(self, split: Split) -> Iterator[tuple[Tensor, Tensor]]:
        return eval_batches(split, EVAL_BATCH, mean=self._data.mean, std=self._data.std, device=self._module.device)


def _copy(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in module.state_dict().items()}
