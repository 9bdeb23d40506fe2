"""The activation functions that a study can compare, by name; known without importing torch.

`actsweep.model` builds them. An activation is declared here together with what the mechanism probes need to know of
it, so that a configuration can be checked, and its arms listed, in a process that never loads torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Attributes:
        name: what configurations and tables call it.
        module: the class of `torch.nn` that computes it.
        kwargs: keyword arguments of that class.
        bounded: bounded on both sides, so that a unit can saturate.
        rectifier: can switch a unit off for good (zero, or nearly zero, on a half line), so that a unit can be dead.
    """

    name: str
    module: str
    kwargs: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    bounded: bool = False
    rectifier: bool = False


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
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
)
