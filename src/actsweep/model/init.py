"""Initial weights by scheme.

Weights are standard normal draws from torch's global generator, times a standard deviation. Schemes and
activations differ in the standard deviation alone, so the same seed gives every arm of a study the same draws
(common random numbers).
"""

import math
from functools import cache

import torch
from numpy.polynomial.hermite_e import hermegauss
from torch import nn

from actsweep.model.activation import build_activation

QUADRATURE_NODES = 200

Layer = nn.Conv2d | nn.Linear


@cache
def matched_gain(activation: str) -> float:
    """1 / sqrt(E[f(z)^2]) with z ~ N(0, 1), for the activation f called `activation`.

    Weights of variance gain^2 / fan_in turn pre-activations of second moment 1 into such again, whatever f is.
    For ReLU it is the sqrt(2) of He et al. ("Delving Deep into Rectifiers", 2015), whose argument it repeats for
    any f. The expectation is a Gauss-Hermite sum, exact to 1e-5.
    """
    nodes, weights = hermegauss(QUADRATURE_NODES)
    with torch.no_grad():
        values = build_activation(activation).eval()(torch.from_numpy(nodes)).numpy()
    return 1 / math.sqrt(float(weights @ values**2) / math.sqrt(2 * math.pi))


def hidden_gain(scheme: str, activation: str) -> float:
    """The gain by which `scheme` (`xavier`, `he` or `matched`) makes up for the activation called `activation`."""
    if scheme == "matched":
        return matched_gain(activation)
    return math.sqrt(2) if scheme == "he" else 1.0


def init_layer(layer: Layer, scheme: str, gain: float) -> None:
    """Draw a layer's weights anew, in place, and set its biases, if any, to 0.

    Args:
        layer: a convolution or a linear layer.
        scheme: `xavier`, Glorot and Bengio's normal weights of variance 2 gain^2 / (fan_in + fan_out); `he` and
            `matched`, normal weights of variance gain^2 / fan_in.
        gain: see `hidden_gain`.
    """
    fan_in = layer.weight[0].numel()
    fan_out = layer.weight[:, 0].numel()
    fan = (fan_in + fan_out) / 2 if scheme == "xavier" else fan_in
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def init_network(network: nn.Module, scheme: str, activation: str) -> None:
    """Draw the weights of all convolutions and linear layers of `network` anew, in place; norms stay as they are.

    `torch_default` leaves PyTorch's own. The others take `hidden_gain` for convolutions and 1 for linear layers,
    which have no activation behind them. The first convolution reads images, not outputs of an activation: with
    `matched` its gain is 1, so that images of second moment 1 give pre-activations of second moment 1 from the
    first layer on (SiLU, GELU and Mish, started elsewhere, drift further away with each layer). With `he` it
    keeps sqrt(2), as is the custom.
    """
    if scheme == "torch_default":
        return
    layers = [layer for layer in network.modules() if isinstance(layer, Layer)]
    for index, layer in enumerate(layers):
        reads_images = index == 0 and scheme == "matched"
        plain = reads_images or isinstance(layer, nn.Linear)
        init_layer(layer, scheme, 1.0 if plain else hidden_gain(scheme, activation))
