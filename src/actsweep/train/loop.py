"""The training of one trial."""

import logging
import os
import random
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment  # type: ignore[attr-defined]
from torch.optim import Optimizer

from actsweep.curves import Curve
from actsweep.data import Data, order_generator, training_batches
from actsweep.errors import RequestError
from actsweep.events import Row
from actsweep.model import build_module
from actsweep.records import Attempt
from actsweep.settings import TrainerSettings, TrialConfig
from actsweep.study import trial_id
from actsweep.train.checkpoint import ResumeFile, save_weights
from actsweep.train.epoch import Step
from actsweep.train.epoch_loop import EpochLoop
from actsweep.train.graph import CapturedStep, cuda_capture
from actsweep.train.recorder import CurveRecorder

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}
CHECKPOINT_SECONDS = 0.5


def train(
    config: TrialConfig,
    data: Data,
    on_evaluation: Callable[[Row], None] | None = None,
    attempt: Attempt | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Curve:
    """Train one trial and measure it, or go on with it where an earlier attempt was interrupted.

    Every evaluation is in eval mode, without augmentation, on the train probe and the validation split: before training
    (epoch 0), then every `trainer.eval_every` epochs. The test split is read once, after the last epoch, at the final
    and at the best-validation weights. A trial whose loss diverges is stopped at that evaluation.

    On one thread of a CPU a trial that was interrupted and goes on has the curve of one that was not, times apart.

    Args:
        config: the trial.
        data: the splits; see `actsweep.data.load`.
        on_evaluation: called with each row of the curve; see `Curve.from_rows`. With an attempt it is called once the
            row is in a checkpoint, so that what was reported is not trained again; a trial that goes on reports the
            earlier attempt's rows first.
        attempt: whose folder gets the weights at the last and at the best evaluation (`last.ckpt`, `best.ckpt`) and,
            after evaluations, the checkpoint that a later attempt with the same arguments goes on from, which stays
            until the caller has made sure of the curve. One that is damaged or of another trial is left aside, with a
            note in the attempt's log.
        should_stop: asked after each batch and each evaluation whether to end early; the checkpoint to go on from then
            stays.
        checkpoint_seconds: of wall time, at least, between two checkpoints; the last evaluation always has one.

    Returns:
        the curve, with `status` completed, diverged or stopped.

    Raises:
        RequestError: a GPU is asked for and there is none.
        TrialTimeoutError: the trial took longer than `trainer.trial_timeout`; its checkpoint stays.
        OutdatedError: a later attempt at the trial has begun; nothing that it writes was touched.
        OSError: a checkpoint or the weights cannot be written; what was there before stays.
    """
    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise RequestError(
            "trainer.accelerator=gpu: no CUDA device is visible here; trainer=cpu trains on the processor"
        )
    clean_state(config)
    module = build_module(config, data.image_shape, data.classes)
    order = order_generator(config.seed)
    resume = ResumeFile(attempt, trial_id(config, data.fingerprint)) if attempt is not None else None
    with _QUIET:
        trainer = _trainer(config.trainer, resume)
        device = trainer.strategy.root_device
        resident = data.to(device)
        recorder = CurveRecorder(
            config.trainer,
            module,
            resident,
            order,
            on_evaluation or (lambda row: None),
            should_stop or (lambda: False),
            resume.path if resume else None,
            checkpoint_seconds,
        )
        trainer.callbacks.append(recorder)  # type: ignore[attr-defined]
        batches = training_batches(config.data, resident, device, order)
        trainer.fit_loop.epoch_loop = EpochLoop(trainer, batches, recorder.look_up, _captured(config.trainer, attempt))
        with _interruptible(), _stream(device):
            trainer.fit(
                module,
                train_dataloaders=batches,
                ckpt_path=resume.find() if resume else None,
                weights_only=True,
            )
    module.to(device)  # Lightning leaves it on the CPU
    curve = recorder.finish()
    if attempt is not None:
        save_weights(attempt, module, data, last=recorder.last_weights, best=recorder.best_weights)
    return curve


def clean_state(config: TrialConfig) -> None:
    """What a process that has trained before must forget, so that its next curve is that of a fresh process."""
    # Lightning sets it to 1, and each step of an optimizer then asks the driver of a GPU anew whether there is one.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    torch.set_num_threads(config.trainer.threads)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    random.seed(config.seed)
    np.random.seed(config.seed % 2**32)  # noqa: NPY002 - libraries that draw from numpy's global generator
    torch.manual_seed(config.seed)


def _captured(settings: TrainerSettings, attempt: Attempt | None) -> Callable[[Step, Optimizer], Step] | None:
    if not settings.cuda_graph:
        return None

    def say(text: str) -> None:
        if attempt is not None:
            attempt.note(text)

    return lambda step, optimizer: CapturedStep(step, optimizer, say, cuda_capture)


@contextmanager
def _stream(device: torch.device) -> Iterator[None]:
    """A stream of the trial's own on a GPU, which can be captured and waits for no other trial's."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)


def _trainer(settings: TrainerSettings, resume: ResumeFile | None) -> pl.Trainer:
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision=_PRECISIONS[settings.precision],  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        # Named, or Lightning takes a Slurm job for one that it is to spread over nodes by itself.
        plugins=[LightningEnvironment(), *([resume] if resume else [])],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )


class _Quiet:
    """Keeps Lightning's notes on hardware and loaders off the user's screen while any trial of this process trains."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trials = 0
        self._kept = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._trials += 1
            if self._trials == 1:
                logger = logging.getLogger("pytorch_lightning")
                self._kept.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.ERROR)
                self._kept.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._trials -= 1
            if not self._trials:
                self._kept.close()


_QUIET = _Quiet()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interruption by the user come out as one: Lightning makes it a SystemExit and ignores the next."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None
