"""Loss and accuracy of a classifier over a split, in eval mode."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Evaluation:
    """Means over images.

    Attributes:
        loss: cross-entropy in nats; not finite for a network that diverged.
        accuracy: share of images whose largest logit is that of their class, 0 to 1.
    """

    loss: float
    accuracy: float


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into eval mode, and each of its parts back into its own mode afterwards."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def evaluate(module: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Evaluation:
    """Evaluate a classifier on batches of images (n, c, h, w) and int64 labels (n,), both on its device.

    Sums stay on the device until the end, the loss in float64, so that the split into batches does not show in
    the result and the host waits for the device once.

    Raises:
        ValueError: there are no images.
    """
    losses, hits = [], []
    images_seen = 0
    with evaluating(module), torch.inference_mode():
        for images, labels in batches:
            logits = module(images)
            losses.append(functional.cross_entropy(logits.double(), labels, reduction="sum"))
            hits.append((logits.argmax(dim=1) == labels).sum())
            images_seen += len(labels)
        if not images_seen:
            raise ValueError("there are no images to evaluate")
        loss, correct = torch.stack([torch.stack(losses).sum(), torch.stack(hits).sum().double()]).tolist()
    return Evaluation(loss / images_seen, correct / images_seen)
