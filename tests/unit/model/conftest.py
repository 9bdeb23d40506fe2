from collections.abc import Callable, Iterator

import pytest
import torch

from actsweep.model import Classifier
from actsweep.settings import ModelSettings, OptimizerSettings

MODEL = {
    "name": "cnn",
    "activation": "relu",
    "depth": 3,
    "width": 4,
    "init": "he",
    "norm": "none",
    "dropout": 0.0,
}
OPTIMIZER = {
    "name": "adam",
    "lr": 0.01,
    "weight_decay": 0.0,
    "momentum": 0.9,
    "nesterov": False,
    "schedule": "none",
    "step_epochs": None,
    "gamma": None,
    "warmup": 0.0,
    "clip": None,
    "label_smoothing": 0.0,
}


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def classifier() -> Callable[..., Classifier]:
    """A small classifier from a seed; keywords replace settings of the model, `optimizer` those of the optimizer."""

    def build(
        image_shape: tuple[int, int, int] = (1, 8, 8),
        classes: int = 10,
        seed: int = 0,
        optimizer: dict[str, object] | None = None,
        **model: object,
    ) -> Classifier:
        torch.manual_seed(seed)
        return Classifier(
            ModelSettings(**{**MODEL, **model}),
            OptimizerSettings(**{**OPTIMIZER, **(optimizer or {})}),
            image_shape,
            classes,
        )

    return build
