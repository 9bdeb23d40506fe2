"""Which settings and choices there are."""

from collections.abc import Iterator
from pathlib import Path

from actsweep.settings import StudyConfig, fields_at


def config_folder() -> Path:
    """The folder of the configuration groups: inside the package, as a link in a checkout, or else at the root."""
    package = Path(__file__).resolve().parents[1]
    inside, beside = package / "conf", package.parents[1] / "conf"
    return inside if inside.is_dir() else beside


def choices(group: str) -> list[str]:
    """The names that a group of settings takes, of those that are ours."""
    return sorted(file.stem for file in (config_folder() / group).glob("*.yaml"))


def setting_named(name: str) -> str:
    """The path of the setting that is called so, or whose path ends so; empty where there is none."""
    ending = [path for path in _settings() if f".{path}".endswith(f".{name}")]
    return min(ending, key=lambda path: path.count("."), default="")


def _settings(*parents: str) -> Iterator[str]:
    for name in fields_at(StudyConfig, parents):
        yield ".".join((*parents, name))
        yield from _settings(*parents, name)
