"""Our trial against what one would otherwise write: a Lightning template over a folder of images.

The template reads JPEGs by torchvision's ImageFolder, transforms them one by one, batches them in a DataLoader without
workers, measures with torchmetrics and trains in a stock Trainer, in fp32. Whole trainings of the same network, images
and epochs, evaluations included, on one thread: samples per CPU-second of the process, in pairs (A B B A). Ours has its
images decoded already, as every trial of a sweep but the first; the template decodes them in each epoch.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from actsweep.records import Attempt
from actsweep.train import train
from bench import cifar
from bench.lightning_template import fit
from bench.training import trial

PAIRS = 4
SIZES = {"train": 4000, "val": 1000, "test": 1000}
EPOCHS = 2
WORDS = (
    *("data=image_folder", "model.width=16", "optimizer.lr=0.001", f"trainer.epochs={EPOCHS}"),
    *(f"data.{name}={size}" for name, size in SIZES.items()),
)


def run() -> dict[str, Any]:
    """How many times the template's samples per CPU-second ours are, in fp32 and in bf16."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for precision in ("fp32", "bf16"):
        config, data = trial(*WORDS, f"data.root={cifar.folder()}", f"trainer.precision={precision}")

        def ours() -> None:
            with tempfile.TemporaryDirectory() as folder:
                train(config, data, None, Attempt(Path(folder)))  # noqa: B023 - called in this turn alone

        def template() -> None:
            fit(config.model_dump(), cifar.folder(), SIZES, EPOCHS)  # noqa: B023

        ours()  # what a process does once
        template()
        ratios = []
        for pair in range(PAIRS):
            order = (ours, template) if pair % 2 else (template, ours)
            seconds = {call: _seconds(call) for call in order}
            ratios.append(seconds[template] / seconds[ours])
        figures[f"{precision}: ours / template, median"] = statistics.median(ratios)
        figures[f"{precision}: ours / template, range"] = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return figures


def _seconds(call: Any) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started
