"""Optimizers by name."""

from collections.abc import Callable, Iterable, Mapping

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from actsweep.model.plugin import plugin_optimizer
from actsweep.settings import OptimizerSettings

Parameters = Iterable[nn.Parameter]

SECOND_BETA = 0.999


def build_optimizer(settings: OptimizerSettings, parameters: Parameters) -> Optimizer:
    """A new optimizer over `parameters`, as `settings.name` says: one of `OPTIMIZERS`, or a plugin's.

    Raises:
        RequestError: a plugin's is no optimizer.
    """
    build = OPTIMIZERS.get(settings.name)
    return plugin_optimizer(parameters, settings) if build is None else build(settings, parameters)


def _adam(settings: OptimizerSettings, parameters: Parameters) -> Optimizer:
    betas = (settings.momentum, SECOND_BETA)
    return Adam(parameters, lr=settings.lr, betas=betas, weight_decay=settings.weight_decay)


def _adamw(settings: OptimizerSettings, parameters: Parameters) -> Optimizer:
    betas = (settings.momentum, SECOND_BETA)
    return AdamW(parameters, lr=settings.lr, betas=betas, weight_decay=settings.weight_decay)


def _sgd(settings: OptimizerSettings, parameters: Parameters) -> Optimizer:
    return SGD(
        parameters,
        lr=settings.lr,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
    )


OPTIMIZERS: Mapping[str, Callable[[OptimizerSettings, Parameters], Optimizer]] = {
    "adam": _adam,
    "adamw": _adamw,
    "sgd": _sgd,
}
