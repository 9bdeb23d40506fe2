"""The processes that this one has started."""

import psutil


def children_called(*names: str) -> list[psutil.Process]:
    """The children of this process that have one of some names; one that ends meanwhile has none."""
    return [process for process in psutil.Process().children() if _name(process) in names]


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""
