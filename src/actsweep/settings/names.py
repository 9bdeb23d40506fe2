"""Settings that name what a registry holds, and the free settings of what plugins register."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, model_validator

from actsweep.plugins import DATA_SETS, MODELS, OPTIMIZERS, Registry, load_plugins, plugins_are_left_out
from actsweep.plugins.activations import ACTIVATION_NAMES
from actsweep.settings.base import Settings, known_are

OPTIONS = "options"
"""The key of the settings that are a plugin's own."""

Plain = str | int | float | bool | None


class Options(Mapping[str, Plain]):
    """A plugin's own settings: plain values by name, immutable and hashable, as all settings are."""

    def __init__(self, values: Mapping[str, Plain] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Plain:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


def own_options(group: str, name: str, options: Mapping[str, Plain], registry: Registry[Any]) -> None:
    """Refuse options where the package's own part would not read them.

    Raises:
        ValueError: `name`, the `name` of the settings at `group`, is the package's own, and there are options.
    """
    if options and name in registry.built_in:
        raise ValueError(
            f"{group}.{OPTIONS}: {', '.join(options)} would have no effect: only a {registry.kind} of a plugin has "
            f"options, and {group}.name={name} is actsweep's own"
        )


def _registered(registry: Registry[Any]) -> Callable[[str], str]:
    def known(name: str) -> str:
        if name not in registry.names and not plugins_are_left_out():
            known = known_are(registry.names, name)
            raise ValueError(
                f"unknown {registry.kind} {name!r}; {known}{' One' if known.endswith('?') else '; one'} of your own "
                "needs plugins=[MODULE]"
            )
        return name

    return known


def _plain(value: object) -> object:
    if not (value is None or isinstance(value, str | int | float)) or value != value:  # noqa: PLR0124 - NaN
        raise ValueError(f"{value!r} is no plain value (text, number, true, false or null)")
    return value


def _module_name(name: str) -> str:
    if re.fullmatch(r"[^\W\d]\w*\.py", name):
        raise ValueError(f"{name!r} is a file; a module is named without .py: plugins=[{name.removesuffix('.py')}]")
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        raise ValueError(f"{name!r} is no name of a module, such as my_module or my_package.part (no path, no .py)")
    return name


ActivationName = Annotated[str, AfterValidator(_registered(ACTIVATION_NAMES)), ACTIVATION_NAMES]
ModelName = Annotated[str, AfterValidator(_registered(MODELS)), MODELS]
OptimizerName = Annotated[str, AfterValidator(_registered(OPTIMIZERS)), OPTIMIZERS]
DataName = Annotated[str, AfterValidator(_registered(DATA_SETS)), DATA_SETS]
PluginOptions = Annotated[
    Mapping[str, Annotated[Plain, PlainValidator(_plain)]],
    AfterValidator(Options),
    PlainSerializer(dict, return_type=dict[str, Plain]),
]


class WithPlugins(Settings):
    """Settings among which are names that plugins register; these are imported before any of the names is looked up.

    Attributes:
        plugins: names of the modules to import; see `actsweep.plugins.load_plugins`.
    """

    plugins: list[Annotated[str, AfterValidator(_module_name)]] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _plugins_first(cls, tree: object) -> object:
        load_plugins(_listed_modules(tree))
        return tree


def _listed_modules(tree: object) -> list[str]:
    """The modules that not yet validated settings list; none where the list is not one of names of modules."""
    listed = tree.get("plugins") if isinstance(tree, Mapping) else None
    try:
        return [_module_name(name) for name in listed] if isinstance(listed, list) else []
    except (TypeError, ValueError):
        return []
