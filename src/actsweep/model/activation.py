"""Activation modules by name, and their derivatives."""

from functools import cache

import torch
from torch import Tensor, nn

from actsweep.activations import ACTIVATIONS


def build_activation(name: str) -> nn.Module:
    """A new module that computes the activation `name`, one of `actsweep.activations.ACTIVATIONS`."""
    activation = ACTIVATIONS[name]
    module: nn.Module = getattr(nn, activation.module)(**activation.kwargs)
    return module


def derivative(name: str, z: Tensor) -> Tensor:
    """f'(z) elementwise, in the shape and dtype of `z`, for the activation f called `name`."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad(build_activation(name)(z).sum(), z)
    return slope


@cache
def largest_derivative(name: str) -> float:
    """sup |f'| of the activation called `name`, from a grid over [-10, 10] that holds 0 and has steps of 0.001."""
    return float(derivative(name, torch.linspace(-10, 10, 20_001, dtype=torch.float64)).abs().max())
