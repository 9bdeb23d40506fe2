"""Hyperparameter sweeps that give each activation an equal, tuned chance, and honest measures of what comes out.

`load` opens a study that has been run, as a `LoadedStudy`; `analyze` analyses curves from any tool; `compose` gives the
settings that `actsweep train` would take, for the LightningModule and its data. What they refuse is an `ActsweepError`.
The functions that register something are for plugins, and `build_activation` for their models: docs/plugins.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "ActsweepError",
    "Curve",
    "LoadedStudy",
    "__version__",
    "analyze",
    "build_activation",
    "compose",
    "load",
    "register_activation",
    "register_data",
    "register_measure",
    "register_model",
    "register_optimizer",
]

if TYPE_CHECKING:
    from actsweep.api import LoadedStudy, analyze, load
    from actsweep.config import compose
    from actsweep.curves import Curve
    from actsweep.errors import ActsweepError
    from actsweep.model import build_activation
    from actsweep.plugins import register_data, register_measure, register_model, register_optimizer
    from actsweep.plugins.activations import register_activation

_HOMES = {
    "ActsweepError": "errors",
    "Curve": "curves",
    "LoadedStudy": "api",
    "analyze": "api",
    "build_activation": "model",
    "compose": "config",
    "load": "api",
    "register_activation": "plugins.activations",
    "register_data": "plugins",
    "register_measure": "plugins",
    "register_model": "plugins",
    "register_optimizer": "plugins",
}


def __dir__() -> list[str]:
    """What a notebook completes."""
    return list(__all__)


if not TYPE_CHECKING:  # or a misspelt name would be of any type

    def __getattr__(name: str) -> Any:
        """The API is imported when it is asked for, so that a command line starts at once."""
        if name in _HOMES:
            return getattr(import_module(f"actsweep.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
