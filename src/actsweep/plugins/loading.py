"""Importing plugins: the modules that a configuration lists, and what installed packages declare."""

import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from actsweep.errors import ActsweepError, RequestError

ENTRY_POINTS = "actsweep.plugins"
SEARCH_PATH = "ACTSWEEP_PLUGIN_PATH"
HANDED_ON = "ACTSWEEP_PLUGIN_FOLDERS"  # not the user's variable, which a node of a cluster may have set for itself
_imported: dict[str, ModuleType] = {}
_left_out: ContextVar[bool] = ContextVar("plugins are left out", default=False)


@contextmanager
def plugins_left_out() -> Iterator[None]:
    """Read settings without running any code that they name: no plugin is imported, and its names are not checked.

    What is read so serves to be shown. It holds for this thread, or task, and the length of the block.
    """
    token = _left_out.set(True)
    try:
        yield
    finally:
        _left_out.reset(token)


def plugins_are_left_out() -> bool:
    """Whether this is a block of `plugins_left_out`."""
    return _left_out.get()


def load_plugins(modules: Sequence[str]) -> None:
    """Import modules, each once, so that they register what they bring; first what installed packages declare.

    In a block of `plugins_left_out` nothing is imported.

    Modules are looked up on Python's path, then in the working folder, then in the folders of $ACTSWEEP_PLUGIN_PATH,
    then in those that `plugin_environment` of another process names.

    Args:
        modules: names of modules, as in an import statement.

    Raises:
        RequestError: one cannot be imported, or registers what it may not; the message names it and the reason.
    """
    if _left_out.get():
        return
    _load_entry_points()
    for name in modules:
        if name not in _imported:
            _imported[name] = _import(name)


def refuse_plugins_in(folder: Path, modules: object) -> None:
    """Check that a study's folder, which may be somebody else's, brings no code of its own.

    Args:
        folder: the study's.
        modules: what its settings list as plugins, before these are checked.

    Raises:
        RequestError: a module would be imported from within the folder, as where it is the working folder, or from
            within another study's. Where plugins are left out, none is.
    """
    if _left_out.get():
        return
    names = [name for name in modules if isinstance(name, str)] if isinstance(modules, list) else []
    inside = folder.resolve()
    for name in names:
        if any(place.is_relative_to(inside) or _is_of_a_study(place) for place in _places(name)):
            raise RequestError(
                f"plugins: {name} lies in the study's own folder {folder}, or in that of another, from which no code "
                "is run; move it out of there, if it is yours, and start from the folder that then holds it"
            )


def refuse_working_folder() -> None:
    """Check that no study's folder is the working folder, in which Ray's workers look for every module first.

    Raises:
        RequestError: it is one, or lies in one.
    """
    here = Path.cwd()
    if _is_of_a_study(here):
        raise RequestError(
            f"the working folder {here} is that of a study, from which no code is run, and trials look for code where "
            "they are started: start from another folder, and name the study by its path"
        )


def _places(name: str) -> Iterator[Path]:
    """The files and folders that a module and the packages around it would be imported from; none is imported."""
    parts, path = name.split("."), [*sys.path, *_more_folders()]
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None:
            return
        path = list(spec.submodule_search_locations or ())
        yield from (Path(place).resolve() for place in (spec.origin, *path) if place)


def _is_of_a_study(place: Path) -> bool:
    """Whether a folder, or what one of them lies in, is a study's: by its ledger, or its settings where it has none."""
    above = any((folder / "ledger.jsonl").exists() for folder in (place, *place.parents))
    return above or (place / "study.yaml").exists()


def plugin_environment() -> dict[str, str]:
    """The environment in which another process of this machine finds the modules that were imported here."""
    folders = dict.fromkeys(folder for module in _imported.values() for folder in _folders(module))
    return {HANDED_ON: os.pathsep.join(folders)} if folders else {}


@cache
def _load_entry_points() -> None:
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            point.load()
        except (Exception, SystemExit) as error:
            raise RequestError(f"the plugin {point.name} of {_package(point)}: {reason(error)}") from error


def _package(point: EntryPoint) -> str:
    return f"the installed package {point.dist.name}" if point.dist else f"an installed package ({point.value})"


def _import(name: str) -> ModuleType:
    more = _more_folders()
    sys.path.extend(path for path in more if path and path not in sys.path and not _is_of_a_study(Path(path)))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise RequestError(f"plugins: {name} cannot be imported: {reason(error)}") from error
        raise RequestError(
            f"plugins: there is no module {error.name!r} on Python's path, in the working folder {more[0]} "
            f"or in the folders of ${SEARCH_PATH}; "
            "start from the folder that holds it, or install it, on every machine that trains"
        ) from error
    except (Exception, SystemExit) as error:
        raise RequestError(f"plugins: {name} cannot be imported: {reason(error)}") from error


def _more_folders() -> list[str]:
    """Where modules are looked up after Python's own path; the working folder first."""
    listed = [os.environ.get(variable, "") for variable in (SEARCH_PATH, HANDED_ON)]
    return [str(Path.cwd()), *os.pathsep.join(listed).split(os.pathsep)]


def reason(error: BaseException) -> str:
    """What went wrong in a plugin, in one line, and where."""
    if isinstance(error, ActsweepError):
        return str(error)
    if isinstance(error, SyntaxError):
        text, file, line = error.msg, error.filename, error.lineno
    else:
        raised = traceback.extract_tb(error.__traceback__)[-1]
        text, file, line = str(error), raised.filename, raised.lineno
    place = f" ({file}, line {line})" if file else ""
    return f"{type(error).__name__}: {' '.join(text.split())}{place}"


def _folders(module: ModuleType) -> Iterator[str]:
    """The folders on Python's path that hold a module's outermost package, or the module itself."""
    top = sys.modules.get(module.__name__.partition(".")[0], module)
    if hasattr(top, "__path__"):
        yield from (str(Path(part).absolute().parent) for part in top.__path__)
    elif top.__file__ is not None:
        yield str(Path(top.__file__).absolute().parent)
