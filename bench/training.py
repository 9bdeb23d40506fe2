"""Our trial against a bare loop over the same model and batches, in one process and on one thread.

Samples per CPU-second of training alone, measured in pairs (A B B A): a machine that grows slower does so for both.
"""

import statistics
import time
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from actsweep.config import run_with_hydra
from actsweep.data import Batches, Data, load, prepare
from actsweep.model import Classifier
from actsweep.settings import TrialConfig
from actsweep.train import train
from bench import cifar

PAIRS = 6
CASES = {
    "digits": ("data=digits", "trainer.epochs=8", "data.batch_size=32"),
    "cifar_width_16": ("data=image_folder", "data.train=6000", "data.val=1000", "data.test=1000", "trainer.epochs=1"),
    "cifar_width_32": (
        *("data=image_folder", "data.train=6000", "data.val=1000", "data.test=1000", "trainer.epochs=1"),
        "model.width=32",
    ),
}


def run() -> dict[str, Any]:
    """Ratio of our samples per CPU-second to the bare loop's, for each case, with the spread over pairs."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, words in CASES.items():
        config, data = _trial(*words, f"data.root={cifar.folder()}" if "digits" not in name else "data.root=null")
        samples = len(data.train.labels) * config.trainer.epochs
        ours, bare = [], []
        for pair in range(PAIRS):
            order = ((ours, _ours), (bare, _bare)) if pair % 2 else ((bare, _bare), (ours, _ours))
            for seconds, measured in order:
                seconds.append(measured(config, data))
        ratios = [b / a for a, b in zip(ours, bare, strict=True)]
        figures[f"{name}: ours, samples per CPU-second"] = samples / statistics.median(ours)
        figures[f"{name}: bare, samples per CPU-second"] = samples / statistics.median(bare)
        figures[f"{name}: ours / bare, median"] = statistics.median(ratios)
        figures[f"{name}: ours / bare, range"] = f"{min(ratios):.3f} to {max(ratios):.3f}"
    return figures


def _trial(*words: str) -> tuple[TrialConfig, Data]:
    found: list[TrialConfig] = []
    run_with_hydra("train", words, lambda config, overrides: found.append(config.trial({}, config.seed)) or 0)
    return found[0], load(prepare(found[0].data), found[0].data)


def _ours(config: TrialConfig, data: Data) -> float:
    curve = train(config, data)
    assert curve.seconds is not None
    return float(curve.seconds[-1])


def _bare(config: TrialConfig, data: Data) -> float:
    torch.manual_seed(config.seed)
    module = Classifier(config.model, config.optimizer, data.image_shape, data.classes)
    optimizer = module.configure_optimizers()
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence(config.seed).generate_state(1)[0]))
    batches = Batches(
        data.train,
        config.data.batch_size,
        mean=data.mean,
        std=data.std,
        augment=config.data.augment,
        generator=generator,
    )
    started = time.thread_time()
    for _ in range(config.trainer.epochs):
        for images, labels in batches:
            optimizer.zero_grad()
            functional.cross_entropy(module(images), labels).backward()
            optimizer.step()
    return time.thread_time() - started
