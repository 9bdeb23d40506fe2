"""Activation modules by name, and their derivatives."""

from functools import cache

import torch
from torch import Tensor, nn

from actsweep.errors import RequestError
from actsweep.plugins.activations import ACTIVATIONS, Activation


def build_activation(name: str) -> nn.Module:
    """A new module that computes the activation `name`, one of `actsweep.plugins.activations.ACTIVATIONS`.

    Raises:
        RequestError: a plugin does not keep what it promises of it.
    """
    activation = ACTIVATIONS[name]
    if isinstance(activation.module, str):
        module: nn.Module = getattr(nn, activation.module)(**activation.kwargs)
        return module
    return _checked(activation, activation.module())


def derivative(name: str, z: Tensor) -> Tensor:
    """f'(z) elementwise, in the shape and dtype of `z`, for the activation f called `name`."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        f = build_activation(name).to(z.device).eval()
        (slope,) = torch.autograd.grad(f(z).sum(), z)
    return slope


@cache
def largest_derivative(name: str) -> float:
    """sup |f'| of the activation called `name`.

    It is what the activation declares, else the largest on a grid over [-10, 10] that holds 0 and has steps of 0.001.
    """
    declared = ACTIVATIONS[name].largest_derivative
    if declared is not None:
        return declared
    return float(derivative(name, torch.linspace(-10, 10, 20_001, dtype=torch.float64)).abs().max())


def _checked(activation: Activation, made: object) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise RequestError(f"the activation {activation.name!r} of a plugin is no torch.nn.Module but {made!r}")
    if getattr(made, "inplace", False):
        raise RequestError(
            f"the activation {activation.name!r} of a plugin works in place, so what it reads could not be probed: "
            "make it with inplace=False"
        )
    if activation.bounded and next(made.parameters(), None) is not None:
        raise RequestError(
            f"the activation {activation.name!r} of a plugin is declared bounded and has trainable parameters: "
            "where it is flat would change in training; leave `bounded` out, or make them buffers"
        )
    return made
