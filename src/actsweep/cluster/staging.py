"""What travels with a job: the installed package with its configuration, and the user's own settings and plugins."""

import shutil
import sys
import sysconfig
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from actsweep.errors import RequestError

MOST_BYTES = 100 * 2**20  # what Ray takes of a job's folder
CONFIG = "conf-of-the-user"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".git")


def stage(folder: Path, conf: Path, own_conf: Path | None, plugins: Iterable[str]) -> None:
    """Fill a folder with what a job needs; data, outputs and what is installed on the cluster stay behind.

    Args:
        folder: an empty one.
        conf: the configuration groups of the package.
        own_conf: the user's own (`--config-dir`), which go to `CONFIG`.
        plugins: modules that the configuration names; those that are no installed package go along.

    Raises:
        RequestError: it would be more than Ray takes; the message names the largest part.
    """
    package = Path(__file__).resolve().parents[1]
    shutil.copytree(package, folder / "actsweep", ignore=shutil.ignore_patterns("__pycache__", "conf"))
    shutil.copytree(conf, folder / "actsweep" / "conf")
    parts = {} if own_conf is None else {CONFIG: own_conf}
    parts |= {place.name: place for name in plugins if (place := _own_module(name.partition(".")[0])) is not None}
    for name, place in parts.items():
        _refuse_large(place, f"{name} ({place})")
        if place.is_dir():
            shutil.copytree(place, folder / name, ignore=_IGNORED)
        else:
            shutil.copy(place, folder / name)
    _refuse_large(folder, "all of it together")


def _own_module(name: str) -> Path | None:
    """The file or folder of a module, where it lies in no folder of installed packages; None for others."""
    spec = PathFinder.find_spec(name, sys.path)
    if spec is None:
        return None
    places = [Path(place) for place in spec.submodule_search_locations or [spec.origin or ""]]
    installed = [Path(path).resolve() for path in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"))]
    inside = any(places[0].resolve().is_relative_to(folder) for folder in installed)
    return None if inside or not places[0].exists() else places[0]


def _refuse_large(place: Path, what: str) -> None:
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    if size > MOST_BYTES:
        raise RequestError(
            f"submit: {what} has {size / 2**20:.0f} MiB, and a job takes {MOST_BYTES // 2**20}: keep images and "
            "results out of folders of settings and plugins (data.root is for images on the cluster)"
        )
