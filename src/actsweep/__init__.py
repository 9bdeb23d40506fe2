"""Hyperparameter sweeps that give each activation an equal, tuned chance, and honest measures of what comes out.

`load` opens a study that has been run.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "load"]

if TYPE_CHECKING:
    from actsweep.api import load


def __getattr__(name: str) -> Any:
    """The API is imported when it is asked for, so that a command line starts at once."""
    if name == "load":
        from actsweep.api import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
