"""A study in the words of a W&B sweep: for our driver's runs to be shown under, or for W&B's own agents to run."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from actsweep.errors import RequestError
from actsweep.study import ARM, Study
from actsweep.study.space import Dimension

_METRIC = {"name": "best_val_acc", "goal": "maximize"}
_SEEDS = 2**31 - 1
_RANGES = {"log_uniform": "log_uniform_values", "uniform": "uniform", "int_uniform": "int_uniform"}


def study_sweep(study: Study) -> dict[str, Any]:
    """The sweep that a study's runs are shown under: what it sweeps by their short names, proposed by nobody at W&B."""
    compared = {study.short_names[path]: values for path, values in _compared(study).items()}
    ranges = {study.short_names[dimension.path]: _parameter(dimension) for dimension in study.space}
    return {"name": study.config.run.name, "method": "custom", "metric": _METRIC, "parameters": compared | ranges}


def agents_sweep(study: Study, words: Sequence[str]) -> dict[str, Any]:
    """The sweep that W&B's agents run: of the study's space, by its dotted paths, each run with a seed of its own.

    What W&B proposes is a grid where all that is swept are lists, which has an end; else at random, which has none.

    Args:
        study: the study.
        words: the Hydra overrides that asked for it, which each run gets too.

    Raises:
        RequestError: the study has named arms, whose settings go together, which a W&B sweep cannot say.
    """
    if study.factor == ARM:
        raise RequestError(
            "study.arms: a W&B sweep draws each setting by itself, so arms of several settings cannot be exported; "
            "compare a setting under study.scientific instead"
        )
    ranges = {dimension.path: _parameter(dimension) for dimension in study.space}
    grid = all(dimension.distribution == "choice" for dimension in study.space)
    seeds = study.config.study.replicate.seeds
    seed = {"values": list(range(seeds))} if grid else {"distribution": "int_uniform", "min": 0, "max": _SEEDS}
    return {
        "name": study.config.run.name,
        "method": "grid" if grid else "random",
        "metric": _METRIC,
        "parameters": {**_compared(study), **ranges, "seed": seed},
        "command": ["${env}", "actsweep", "train", *words, "tracker=wandb_online", "${args_no_hyphens}"],
    }


def sweep_text(sweep: Mapping[str, Any], made_by: str, trials: int) -> str:
    """A sweep as YAML, with the command that makes it, and how many runs are as many as the study's trials.

    W&B's published schema of sweeps has no key for the latter.

    Args:
        sweep: see `agents_sweep`.
        made_by: the command.
        trials: how many the study has.
    """
    ends = sweep["method"] == "grid"
    runs = "" if ends else f"# It has no end; as many runs as the study has trials: wandb agent --count {trials} ID\n"
    return f"# {made_by}\n{runs}{yaml.safe_dump(dict(sweep), sort_keys=False, width=120)}"


def _compared(study: Study) -> dict[str, Any]:
    paths = (study.factor, *study.strata)
    return {path: {"values": list(dict.fromkeys(cell.values[path] for cell in study.cells))} for path in paths}


def _parameter(dimension: Dimension) -> dict[str, Any]:
    if dimension.distribution == "choice":
        return {"values": list(dimension.values)}
    return {"distribution": _RANGES[dimension.distribution], "min": dimension.low, "max": dimension.high}
