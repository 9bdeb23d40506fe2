"""Models and optimizers of plugins, held to what they promise."""

from collections.abc import Iterable

import torch
from torch import nn

from actsweep.errors import RequestError
from actsweep.model.evaluation import evaluating
from actsweep.plugins import MODELS, OPTIMIZERS
from actsweep.settings import ModelSettings, OptimizerSettings


def plugin_network(settings: ModelSettings, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of the plugin's model called `settings.name`, from images (n, *image_shape) to logits (n, classes).

    Parameters that take their shape from a first batch get it here.

    Raises:
        RequestError: the plugin returns something else.
    """
    network = MODELS.added[settings.name](settings, image_shape, classes)
    if not isinstance(network, nn.Module):
        raise RequestError(f"model.name={settings.name}: the plugin's model is no torch.nn.Module but {network!r}")
    with evaluating(network), torch.no_grad():
        logits = network(torch.zeros(2, *image_shape))
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, classes):
        found = f"a tensor of shape {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else repr(logits)
        raise RequestError(
            f"model.name={settings.name}: for 2 images the plugin's model gives {found}, not logits of shape "
            f"(2, {classes}): one for each of the classes"
        )
    return network


def plugin_optimizer(parameters: Iterable[nn.Parameter], settings: OptimizerSettings) -> torch.optim.Optimizer:
    """The plugin's optimizer called `settings.name`, over `parameters`.

    Raises:
        RequestError: the plugin returns something else.
    """
    optimizer = OPTIMIZERS.added[settings.name](list(parameters), settings)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise RequestError(
            f"optimizer.name={settings.name}: the plugin's optimizer is no torch.optim.Optimizer but {optimizer!r}"
        )
    return optimizer
