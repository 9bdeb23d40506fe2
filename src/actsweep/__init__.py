"""Hyperparameter sweeps that give each activation an equal, tuned chance, and honest measures of what comes out.

`load` opens a study that has been run, `analyze` analyses curves from any tool.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "analyze", "load"]

if TYPE_CHECKING:
    from actsweep.api import analyze, load


def __getattr__(name: str) -> Any:
    """The API is imported when it is asked for, so that a command line starts at once."""
    if name in ("analyze", "load"):
        from actsweep import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
