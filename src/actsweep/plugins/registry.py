"""Names that a configuration may use, and what plugins have registered under them.

A configuration never says where code is: it names what is registered here, and lists modules whose import registers it.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from actsweep.curves import LISTED, Curve
from actsweep.errors import RequestError

NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_]{0,49}"
# Names in tables of curves, in a trial's row of the results, and of what these are computed from; a test holds this to
# them.
_COLUMNS = (
    *("trial_id", "phase", "arm", "activation", "depth", "lr", "seed", "block", "rung", "status", "epoch", "step"),
    *("seconds", "seconds_from", "wall", "train_loss", "train_acc", "val_loss", "val_acc", "test_loss"),
    *("best_test_acc", "train_loss_min", "gap_end_test", "gap_end_val"),
    *("epochs_at_horizon", "steps_at_horizon", "seconds_at_horizon"),
    *("epochs_between_hi", "epochs_between_lo"),
    *LISTED,
)

Entry = TypeVar("Entry")
Function = TypeVar("Function", bound=Callable[..., Any])
Measure = TypeVar("Measure", bound=Callable[[Curve], float | None])


class Registry(Generic[Entry]):
    """The names of one kind of thing: those that the package brings, and those that plugins add.

    Args:
        kind: what it is in a message, such as `activation`.
        built_in: the package's own names, which no plugin can take.
    """

    def __init__(self, kind: str, built_in: Iterable[str]) -> None:
        self.kind = kind
        self.built_in = tuple(built_in)
        self._added: dict[str, Entry] = {}
        self._origins: dict[str, str] = {}

    @property
    def added(self) -> Mapping[str, Entry]:
        """What plugins have registered, by name; the view follows later registrations."""
        return MappingProxyType(self._added)

    @property
    def names(self) -> list[str]:
        """Every accepted name, sorted."""
        return sorted({*self.built_in, *self._added})

    def add(self, name: str, entry: Entry, origin: str) -> None:
        """Register something.

        Args:
            name: a letter, then letters, digits and underscores; at most 50 in all.
            entry: what the name stands for.
            origin: the file or module that registers it, see `caller`; it may do so again, as it does when it is
                imported anew, and then the last counts.

        Raises:
            RequestError: the name is no such word, is the package's own, or was registered from elsewhere.
        """
        if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
            raise RequestError(
                f"the {self.kind} {name!r} of {origin} has no plain name: "
                "a letter, then letters, digits and '_', at most 50 in all"
            )
        if name in self.built_in:
            raise RequestError(f"the {self.kind} {name!r} is actsweep's own: {origin} must choose another name")
        first = self._origins.setdefault(name, origin)
        if first != origin:
            raise RequestError(f"the {self.kind} {name!r} is registered twice: by {first} and by {origin}")
        self._added[name] = entry

    def adding(self, name: str, origin: str) -> Callable[[Function], Function]:
        """A decorator that registers a function or class as it is, and gives it back; see `add`."""

        def register(function: Function) -> Function:
            self.add(name, _callable(self.kind, name, function), origin)  # type: ignore[arg-type]
            return function

        return register


MODELS: Registry[Callable[..., Any]] = Registry("model", ("cnn",))
OPTIMIZERS: Registry[Callable[..., Any]] = Registry("optimizer", ("adam", "adamw", "sgd"))
DATA_SETS: Registry[Callable[..., Any]] = Registry("data set", ("digits", "cifar10", "image_folder"))
MEASURES: Registry[Callable[..., Any]] = Registry("measure", _COLUMNS)


def register_model(name: str) -> Callable[[Function], Function]:
    """Register a model, to be chosen by `model.name`.

    What is decorated is called with the `ModelSettings`, the shape of an image (channels, height, width) and the
    number of classes, and returns a new LightningModule (or another `torch.nn.Module`) whose `forward` takes float
    images (n, channels, height, width) to logits (n, classes). The weights are drawn there, from torch's generator.

    Raises:
        RequestError: see `Registry.add`.
    """
    return MODELS.adding(name, caller())


def register_data(name: str) -> Callable[[Function], Function]:
    """Register a data set, to be chosen by `data.name`.

    What is decorated is called with the `DataSettings` and returns either a LightningDataModule or arrays: images and
    labels, and, where there are separate ones, test images and test labels. Images are bytes, or floats from 0 to 1, of
    shape (n, channels, height, width) or (n, height, width); labels are whole numbers from 0, shape (n,).

    Raises:
        RequestError: see `Registry.add`.
    """
    return DATA_SETS.adding(name, caller())


def register_optimizer(name: str) -> Callable[[Function], Function]:
    """Register an optimizer, to be chosen by `optimizer.name`.

    What is decorated is called with a list of the parameters and the `OptimizerSettings`, and returns a
    `torch.optim.Optimizer`.

    Raises:
        RequestError: see `Registry.add`.
    """
    return OPTIMIZERS.adding(name, caller())


def register_measure(name: str) -> Callable[[Measure], Measure]:
    """Register a measure of a trial, which the results then list under its name, and its cells' means as NAME_mean.

    What is decorated is a pure function of a trial's `actsweep.curves.Curve` that returns a number, or None where the
    trial does not have it.

    Raises:
        RequestError: see `Registry.add`.
    """
    return MEASURES.adding(name, caller())


def caller() -> str:
    """The file, or else the module, of the code that called the function which calls this."""
    scope = sys._getframe(2).f_globals
    return str(scope.get("__file__") or scope.get("__name__", "<unknown>"))


def _callable(kind: str, name: str, function: Function) -> Function:
    if not callable(function):
        raise RequestError(f"the {kind} {name!r} needs a function or a class, not {function!r}")
    return function
