"""What a command composes."""

from actsweep.config import run_with_hydra


def names(command: str, *words: str) -> list[str]:
    """The names of the studies that a command gets from some words."""
    found: list[str] = []
    run_with_hydra(command, list(words), lambda config, overrides: found.append(config.run.name) or 0)
    return found
