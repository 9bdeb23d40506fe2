"""Our trial against a bare loop over the same model and batches, in one process and on one thread.

Samples per CPU-second, of training alone and of the whole: with the same measurements before, between and after the
epochs (loss and accuracy on the splits, gradients and saturation on one batch), and of ours with all else that a trial
does (checkpoints, weights, the test split at the best epoch too). Also against a loop that only evaluates. Measured
in pairs (A B B A): a machine that grows slower does so for both.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from actsweep.config import run_with_hydra
from actsweep.data import Batches, Data, Split, eval_batches, load, prepare
from actsweep.model import Classifier, evaluate, probe
from actsweep.records import Attempt
from actsweep.settings import TrialConfig
from actsweep.train import train
from bench import cifar

PAIRS = 6
IMAGES = 5120
CASES = {
    "digits": ("data=digits", "trainer.epochs=8", "data.batch_size=32"),
    "cifar_width_16": ("data=image_folder", "data.train=6000", "data.val=1000", "data.test=1000", "trainer.epochs=2"),
    "cifar_width_32": (
        *("data=image_folder", "data.train=6000", "data.val=1000", "data.test=1000", "trainer.epochs=2"),
        "model.width=32",
    ),
}


Seconds = tuple[float, float, float]  # of training, of the whole, of the whole without probes
PARTS = ("training", "whole", "whole, bare without probes")


def run() -> dict[str, Any]:
    """Ratio of our samples per CPU-second to the bare loop's, for each case, with the spread over pairs."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, words in CASES.items():
        config, data = trial(*words, f"data.root={cifar.folder()}" if "digits" not in name else "data.root=null")
        samples = len(data.train.labels) * config.trainer.epochs
        ours: list[Seconds] = []
        bare: list[Seconds] = []
        _ours(config, data)  # what a process does once
        for pair in range(PAIRS):
            order = ((ours, _ours), (bare, _bare)) if pair % 2 else ((bare, _bare), (ours, _ours))
            for seconds, measured in order:
                seconds.append(measured(config, data))
        for part, what in enumerate(PARTS):
            ratios = [b[part] / a[part] for a, b in zip(ours, bare, strict=True)]
            figures[f"{name}, {what}: ours, samples per CPU-second"] = samples / statistics.median(
                a[part] for a in ours
            )
            figures[f"{name}, {what}: ours / bare, median"] = statistics.median(ratios)
            figures[f"{name}, {what}: ours / bare, range"] = f"{min(ratios):.3f} to {max(ratios):.3f}"
    figures["augmented batches, microseconds an image"] = min(_augmentation() for _ in range(PAIRS))
    return figures


def _augmentation() -> float:
    """CPU-microseconds that an image of 32 x 32 takes to be gathered, flipped, shifted and normalised."""
    images = torch.randint(256, (IMAGES, 3, 32, 32), dtype=torch.uint8)
    split, grey = Split(images, torch.zeros(IMAGES, dtype=torch.int64)), torch.full((3,), 0.5)
    batches = Batches(split, 128, mean=grey, std=grey, augment=True, generator=torch.Generator().manual_seed(0))
    began = time.thread_time()
    for _ in batches:
        pass
    return (time.thread_time() - began) / IMAGES * 1e6


def trial(*words: str) -> tuple[TrialConfig, Data]:
    found: list[TrialConfig] = []
    run_with_hydra("train", words, lambda config, overrides: found.append(config.trial({}, config.seed)) or 0)
    return found[0], load(prepare(found[0].data), found[0].data)


def _ours(config: TrialConfig, data: Data) -> Seconds:
    with tempfile.TemporaryDirectory() as folder:
        started = time.thread_time()
        curve = train(config, data, None, Attempt(Path(folder)))
        whole = time.thread_time() - started
    assert curve.seconds is not None
    return float(curve.seconds[-1]), whole, whole


def _bare(config: TrialConfig, data: Data) -> Seconds:
    """What one would write by hand: the same epochs, and the same measurements."""
    began = time.thread_time()
    torch.manual_seed(config.seed)
    module = Classifier(config.model, config.optimizer, data.image_shape, data.classes)
    optimizer = module.configure_optimizers()
    batches = _batches(config, data)
    training, probing = 0.0, _measure(module, data)
    for _ in range(config.trainer.epochs):
        started = time.thread_time()
        for images, labels in batches:
            optimizer.zero_grad()
            functional.cross_entropy(module(images), labels).backward()
            optimizer.step()
        training += time.thread_time() - started
        probing += _measure(module, data)
    _evaluate(module, data, data.test)
    whole = time.thread_time() - began
    return training, whole, whole - probing


def _batches(config: TrialConfig, data: Data) -> Batches:
    return Batches(
        data.train,
        config.data.batch_size,
        mean=data.mean,
        std=data.std,
        augment=config.data.augment,
        generator=torch.Generator().manual_seed(int(np.random.SeedSequence(config.seed).generate_state(1)[0])),
    )


def _measure(module: Classifier, data: Data) -> float:
    """Evaluate and probe; the seconds that the probes took."""
    for split in (data.probe, data.val):
        _evaluate(module, data, split)
    started = time.thread_time()
    split = Split(data.probe.images[:128], data.probe.labels[:128])
    probe(module, *next(eval_batches(split, 500, mean=data.mean, std=data.std)))
    return time.thread_time() - started


def _evaluate(module: Classifier, data: Data, split: Split) -> None:
    evaluate(module, eval_batches(split, 500, mean=data.mean, std=data.std))
