"""Where a study's results come from: data, settings, versions, machine, and how to repeat each trial."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from actsweep.events import StudyRecord
from actsweep.plural import count
from actsweep.study import Study

_PLACE = ("run", "cluster", "tracker")  # settings that say where a study runs, and change no result


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to judge and to repeat a study.

    Attributes:
        facts: texts by name.
        settings: all that results depend on, as YAML.
        repeat: the command that repeats a trial, whose id is to be put for `{trial_id}`.
    """

    facts: Mapping[str, str]
    settings: str
    repeat: str


def provenance(study: Study, record: StudyRecord) -> Provenance:
    """Where the results of a study come from.

    Args:
        study: the study.
        record: what has happened in it, which has begun.
    """
    assert record.started is not None
    config, started, data = study.config, record.started, record.started.data
    tree = {name: value for name, value in config.model_dump(mode="json").items() if name not in _PLACE}
    widened = [f"{study.short_names[path]} at the {side} end" for path, side in record.widened]
    facts = {
        "data": f"{data['label']}, {data['classes']} classes (fingerprint {data['fingerprint']})",
        "seed of the study": str(config.study.seed),
        "search": _search(study),
        "ranges widened": ", ".join(widened),
        "looks at the results": str(record.looks) if record.looks > 1 else "",
        "versions": ", ".join(f"{package} {version}" for package, version in started.versions.items()),
        **started.surroundings,
    }
    return Provenance(
        {name: said for name, said in facts.items() if said},
        yaml.safe_dump(tree, sort_keys=False, allow_unicode=True),
        f"actsweep train --from {shlex.quote(f'{config.run.root}/{config.run.name}/trials/')}{{trial_id}}",
    )


def _search(study: Study) -> str:
    config = study.config
    tune = config.study.tune
    stopping = "" if config.scheduler.name == "none" else f", early stopping by {config.scheduler.name}"
    return f"{config.search.name}, {count(tune.blocks, 'block')} of {tune.points} points in each cell{stopping}"
