"""What happens inside a network, on one fixed batch: gradients by layer, saturated units, dead units.

A layer's pre-activations are what its activation reads: the output of the convolution or, where there is one, of
the norm behind it. All is measured in eval mode, so a batch norm uses its running statistics; before training these
are 0 and 1, and the network is seen as if it had no norm.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, linear_regression

import torch
from torch import Tensor, nn
from torch.nn import functional

from actsweep.model.activation import derivative, largest_derivative
from actsweep.model.evaluation import evaluating
from actsweep.model.network import Classifier
from actsweep.plugins.activations import ACTIVATIONS

SATURATED_BELOW = 0.1


@dataclass(frozen=True)
class Probe:
    """One look inside a network.

    Attributes:
        grad_slope: see `grad_slope`.
        saturated: see `saturated_share`; None unless the activation is bounded on both sides.
        dead: see `dead_share`; None unless the activation is a rectifier.
        grad_norms: see `gradient_norms`; one per hidden layer, from the input to the output.
    """

    grad_slope: float | None
    saturated: float | None
    dead: float | None
    grad_norms: tuple[float, ...]


def probe(module: nn.Module, images: Tensor, labels: Tensor) -> Probe:
    """Look inside a classifier on one batch of images (n, c, h, w) and int64 labels (n,), both on its device.

    All is None or empty for a module without `activations`, the modules whose inputs are its pre-activations; and the
    shares are for one that is no `Classifier`, since nothing says what its activation is.

    Gradients, modes and buffers of the module stay as they are, and no random number is drawn.
    """
    layers: Sequence[nn.Module] = getattr(module, "activations", ())
    if not layers:
        return Probe(None, None, None, ())
    with torch.enable_grad(), evaluating(module), _inputs_of(layers) as pre_activations:
        loss = functional.cross_entropy(module(images), labels)
    norms = gradient_norms(loss, pre_activations)
    activation = ACTIVATIONS[module.architecture.activation] if isinstance(module, Classifier) else None
    return Probe(
        grad_slope=grad_slope(norms),
        saturated=saturated_share(activation.name, pre_activations) if activation and activation.bounded else None,
        dead=dead_share(pre_activations) if activation and activation.rectifier else None,
        grad_norms=norms,
    )


@contextmanager
def _inputs_of(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that receives the input of each layer in a forward pass, in the order of the pass."""
    inputs: list[Tensor] = []
    hooks = [layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0])) for layer in layers]
    try:
        yield inputs
    finally:
        for hook in hooks:
            hook.remove()


def gradient_norms(loss: Tensor, pre_activations: Sequence[Tensor]) -> tuple[float, ...]:
    """Euclidean norm of the gradient of `loss` with respect to each tensor, over all its elements.

    It is the norm over the whole layer, not per element, so that more channels or fewer positions from one layer
    to the next do not by themselves look like a gradient that grows or shrinks.
    """
    gradients = torch.autograd.grad(loss, list(pre_activations))
    # Squares of gradients that vanished would underflow in float32.
    return tuple(float(torch.linalg.vector_norm(gradient, dtype=torch.float64)) for gradient in gradients)


def grad_slope(norms: Sequence[float]) -> float | None:
    """Least-squares slope of log10(norm) against the layers' index counted from the output, in decades per layer.

    Args:
        norms: gradient norms from the input to the output, as `gradient_norms` gives them.

    Returns:
        Negative where gradients vanish on their way to the input, positive where they explode. None with fewer than two
        layers, or where a norm is zero or not finite.
    """
    if len(norms) < 2 or not all(0 < norm < math.inf for norm in norms):
        return None
    return linear_regression(range(len(norms)), [math.log10(norm) for norm in reversed(norms)]).slope


def saturated_share(activation: str, pre_activations: Sequence[Tensor]) -> float | None:
    """Share of units with |f'| <= 0.1 sup|f'|, 0 to 1, as a mean over layers.

    A unit is one channel at one position for one image: each value that the activation reads.

    Args:
        activation: the name of f, which is bounded on both sides.
        pre_activations: one tensor per layer, of any shape.

    Returns:
        The share, or None where a pre-activation is NaN.
    """
    if _any_nan(pre_activations):
        return None
    limit = SATURATED_BELOW * largest_derivative(activation)
    return fmean(float((derivative(activation, z).abs() <= limit).double().mean()) for z in pre_activations)


def dead_share(pre_activations: Sequence[Tensor]) -> float | None:
    """Share of units that never activate on the batch, 0 to 1, over the units of all layers together.

    A unit is one channel, which has one set of weights: it is dead if it exceeds 0 at no position of any image, so
    that no gradient reaches those weights.

    Args:
        pre_activations: one tensor (n, channels, ...) per layer.

    Returns:
        The share, or None where a pre-activation is NaN.
    """
    if _any_nan(pre_activations):
        return None
    dead = torch.cat([z.transpose(0, 1).flatten(1).amax(dim=1) <= 0 for z in pre_activations])
    return float(dead.double().mean())


def _any_nan(tensors: Sequence[Tensor]) -> bool:
    return any(bool(tensor.isnan().any()) for tensor in tensors)
