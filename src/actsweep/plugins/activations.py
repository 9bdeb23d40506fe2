"""The activation functions that a study can compare, by name; known without importing torch.

`actsweep.model` builds them. An activation is declared here together with what the mechanism probes need to know of
it, so that a configuration can be checked, and its arms listed, in a process that never loads torch.
"""

import math
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from actsweep.errors import RequestError
from actsweep.plugins import Registry, caller


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Attributes:
        name: what configurations and tables call it.
        module: the class of `torch.nn` that computes it or, from a plugin, what returns a new module that does.
        kwargs: keyword arguments of that class.
        bounded: bounded on both sides, so that a unit can saturate.
        rectifier: can switch a unit off for good (zero, or nearly zero, on a half line), so that a unit can be dead.
        largest_derivative: sup |f'|, where it is known; else it is searched for.
    """

    name: str
    module: str | Callable[[], Any]
    kwargs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    bounded: bool = False
    rectifier: bool = False
    largest_derivative: float | None = None


_BUILT_IN: Mapping[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("relu", "ReLU", rectifier=True),
        Activation("leaky_relu", "LeakyReLU", {"negative_slope": 0.01}),
        Activation("elu", "ELU"),
        Activation("gelu", "GELU"),
        Activation("silu", "SiLU"),
        Activation("mish", "Mish"),
        Activation("tanh", "Tanh", bounded=True),
        Activation("sigmoid", "Sigmoid", bounded=True),
    )
}
ACTIVATION_NAMES: Registry[Activation] = Registry("activation", _BUILT_IN)
ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    ChainMap(ACTIVATION_NAMES.added, _BUILT_IN)  # type: ignore[arg-type]
)
"""Every activation by name, those of plugins included."""

Maker = TypeVar("Maker", bound=Callable[[], Any])


def register_activation(
    name: str, *, bounded: bool = False, rectifier: bool = False, largest_derivative: float | None = None
) -> Callable[[Maker], Maker]:
    """Register an activation, to be chosen by `model.activation`.

    What is decorated is called without arguments and returns a new `torch.nn.Module` that computes f elementwise.

    Args:
        name: what configurations and tables call it.
        bounded: whether f is bounded on both sides, so that units can saturate (then it has no trainable parameters).
        rectifier: whether f is zero, or nearly so, on the negative half line, so that units can die.
        largest_derivative: sup |f'|; None searches for it on [-10, 10].

    Raises:
        RequestError: see `Registry.add`; or `largest_derivative` is no finite number above 0.
    """
    if largest_derivative is not None and not 0 < largest_derivative < math.inf:
        raise RequestError(
            f"the activation {name!r}: largest_derivative must be a finite number above 0, not {largest_derivative!r}"
        )
    origin = caller()

    def register(maker: Maker) -> Maker:
        if not callable(maker):
            raise RequestError(f"the activation {name!r} needs a function or a class, not {maker!r}")
        made = Activation(name, maker, bounded=bounded, rectifier=rectifier, largest_derivative=largest_derivative)
        ACTIVATION_NAMES.add(name, made, origin)
        return maker

    return register
