"""A Lightning template as one finds them: ImageFolder, PIL transforms, DataLoader, torchmetrics, Trainer.

It imports nothing of ours.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchmetrics.classification import MulticlassAccuracy
from torchvision import transforms
from torchvision.datasets import ImageFolder

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "gelu": nn.GELU}
Report = Callable[[Mapping[str, float]], None]


def cnn(activation: str, depth: int, width: int, classes: int) -> nn.Sequential:
    """3x3 convolutions in three stages, each ending in pooling, then a linear layer."""
    layers: list[nn.Module] = []
    channels = 3
    for stage in range(3):
        for _ in range(depth // 3 + (stage < depth % 3)):
            layers += [nn.Conv2d(channels, width * 2**stage, 3, padding=1), ACTIVATIONS[activation]()]
            channels = width * 2**stage
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 16, classes))


class LitCnn(pl.LightningModule):
    """A classifier that logs loss and accuracy."""

    def __init__(self, activation: str, depth: int, width: int, lr: float, classes: int = 10) -> None:
        super().__init__()
        self.net = cnn(activation, depth, width, classes)
        self.lr = lr
        self.accuracy = nn.ModuleDict({f"{stage}_": MulticlassAccuracy(classes) for stage in ("train", "val", "test")})

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.net(images)

    def _step(self, batch: tuple[Tensor, Tensor], stage: str) -> Tensor:
        images, labels = batch
        logits = self(images)
        loss = nn.functional.cross_entropy(logits, labels)
        self.accuracy[f"{stage}_"](logits, labels)
        self.log(f"{stage}_loss", loss, on_step=False, on_epoch=True)
        self.log(f"{stage}_acc", self.accuracy[f"{stage}_"], on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss."""
        return self._step(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Log."""
        self._step(batch, "val")

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Log."""
        self._step(batch, "test")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def loaders(root: Path, sizes: Mapping[str, int], batch_size: int, augment: bool) -> dict[str, DataLoader[Any]]:
    """DataLoaders of the beginning of a shuffled folder of images."""
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    moved = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if augment else []
    training = ImageFolder(str(root / "train"), transforms.Compose([*moved, *plain]))
    held_out = ImageFolder(str(root / "train"), transforms.Compose(plain))
    test = ImageFolder(str(root / "test"), transforms.Compose(plain))
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0)).tolist()
    first = torch.randperm(len(test), generator=torch.Generator().manual_seed(0)).tolist()[: sizes["test"]]
    parts: dict[str, Any] = {
        "train": Subset(training, order[: sizes["train"]]),
        "val": Subset(held_out, order[sizes["train"] : sizes["train"] + sizes["val"]]),
        "test": Subset(test, first),
    }
    return {
        name: DataLoader(part, batch_size=batch_size, shuffle=name == "train", num_workers=0)
        for name, part in parts.items()
    }


def fit(
    trial: Mapping[str, Any], root: Path, sizes: Mapping[str, int], epochs: int, report: Report | None = None
) -> None:
    """Train and test one configuration; `report` is called after each epoch with what was logged."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", category=FutureWarning)
    pl.seed_everything(trial["seed"], verbose=False)
    model = trial["model"]
    module = LitCnn(model["activation"], model["depth"], model["width"], trial["optimizer"]["lr"])
    data = loaders(root, sizes, trial["data"]["batch_size"], trial["data"]["augment"])

    class Reporter(pl.Callback):
        def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if report is not None and not trainer.sanity_checking:
                report({name: float(value) for name, value in trainer.callback_metrics.items()})

    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Reporter()],
    )
    trainer.fit(module, data["train"], data["val"])
    trainer.test(module, data["test"], verbose=False)
