"""Prove without a network that requirements.lock is what pyproject.toml asks for: nothing missing, nothing left over.

Every entry must be pinned and hashed and name no address. Every requirement of pyproject.toml must be met on each
accepted Python. Then the requirements of the installed packages are followed for the running Python, so that a changed
extra is noticed too, and an entry that nothing asks for any more.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker, default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
HASH = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    """One entry of the lock: a package at one version, where the marker holds."""

    name: str
    version: str
    marker: Marker | None


def environment(python: str | None = None) -> dict[str, str]:
    """Return the marker environment of this machine, with the running Python or the given one."""
    here = {key: str(value) for key, value in default_environment().items()}
    return here if python is None else {**here, "python_version": python, "python_full_version": f"{python}.99"}


def applies(marker: Marker | None, environ: dict[str, str]) -> bool:
    return marker is None or marker.evaluate({"extra": "", **environ})


def read_pin(entry: str) -> Pin:
    """Read one entry of the lock; raise ValueError, with the reason, for one that is not pinned and hashed."""
    text, *hashes = re.split(r"\s+--hash=", entry)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"not a package at a version: {text}") from error
    if requirement.url:
        raise ValueError(f"an address in place of a version: {requirement.name}")
    specifiers = [(each.operator, each.version) for each in requirement.specifier]
    if len(specifiers) != 1 or specifiers[0][0] != "==" or "*" in specifiers[0][1]:
        raise ValueError(f"not pinned to one version: {text}")
    if not hashes or not all(HASH.fullmatch(each) for each in hashes):
        raise ValueError(f"without a sha256 of each file: {text}")
    return Pin(canonicalize_name(requirement.name), specifiers[0][1], requirement.marker)


def read_lock(text: str) -> tuple[list[Pin], list[str]]:
    """Return the entries of the lock and what is wrong with those that are no good."""
    lines = [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    pins, problems = [], []
    for line in lines:
        try:
            pins.append(read_pin(line.strip()))
        except ValueError as error:
            problems.append(str(error))
    if "://" in text and not problems:
        problems.append("an address in a comment")
    return pins, problems


def declared(project: dict[str, Any]) -> list[Requirement]:
    """Return every requirement of pyproject.toml: to run, of each extra, of each group, to build."""
    extras = project["project"].get("optional-dependencies", {})
    groups = project.get("dependency-groups", {})
    texts = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    return [Requirement(text) for part in (texts, *extras.values(), *groups.values()) for text in part]


def unmet(requirement: Requirement, pins: Iterable[Pin], environ: dict[str, str]) -> str | None:
    """Return why the lock does not meet a requirement in an environment; None if it does or need not."""
    if not applies(requirement.marker, environ):
        return None
    name = canonicalize_name(requirement.name)
    versions = [pin.version for pin in pins if pin.name == name and applies(pin.marker, environ)]
    if len(versions) != 1:
        return f"{len(versions)} entries for {requirement} on Python {environ['python_version']}"
    if not requirement.specifier.contains(versions[0], prereleases=True):
        return f"{name}=={versions[0]} does not satisfy {requirement}"
    return None


def installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def asked_by(name: str, extra: str) -> Iterator[Requirement]:
    """Yield what an installed package, with an extra or "" for none, asks for on this Python."""
    for requirement in map(Requirement, metadata.requires(name) or () if installed(name) else ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            requirement.marker = None
            yield requirement


def followed(requirements: Iterable[Requirement]) -> Iterator[Requirement]:
    """Yield the requirements and, through the installed packages, all that they lead to on this Python."""
    todo, seen = list(requirements), set()
    while todo:
        requirement = todo.pop()
        yield requirement
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key not in seen:
                seen.add(key)
                todo += asked_by(*key)


def problems_of(project: dict[str, Any], lock: str) -> list[str]:
    """Return what is wrong with a lock, one line each; empty for one that is up to date."""
    pins, problems = read_lock(lock)
    if problems:
        return problems
    requirements = declared(project)
    for python in PYTHONS:
        problems += filter(None, (unmet(each, pins, environment(python)) for each in requirements))
    if problems:
        return sorted(set(problems))
    return problems_of_installed(requirements, pins)


def problems_of_installed(requirements: list[Requirement], pins: list[Pin]) -> list[str]:
    """Return what the requirements of the installed packages miss in the lock, and what it holds in vain."""
    here = environment()
    here_pins = [pin for pin in pins if applies(pin.marker, here)]
    reached = list(followed(each for each in requirements if applies(each.marker, here)))
    names = {canonicalize_name(each.name) for each in reached}
    problems = {unmet(each, here_pins, here) for each in reached}
    problems |= {f"nothing asks for {pin.name}" for pin in here_pins if pin.name not in names}
    problems |= {
        f"{pin.name}=={pin.version} is not installed here" for pin in here_pins if installed(pin.name) != pin.version
    }
    return sorted(filter(None, problems))


def main(pyproject: Path, lock: Path) -> int:
    """Print what is wrong; return the exit status."""
    problems = problems_of(tomllib.loads(pyproject.read_text()), lock.read_text())
    for problem in problems:
        print(f"{lock.name}: {problem}", file=sys.stderr)
    if problems:
        print("write it anew with `make lock`", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(ROOT / "pyproject.toml", ROOT / "requirements.lock"))
