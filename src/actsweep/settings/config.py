"""A whole study's settings, as composed from `conf/` and the command line."""

from typing import Any

from pydantic import Field

from actsweep.errors import RequestError
from actsweep.settings.base import known_are, validated
from actsweep.settings.names import OPTIONS, WithPlugins
from actsweep.settings.place import ClusterSettings, RunSettings, TrackerSettings
from actsweep.settings.study import SchedulerSettings, SearchSettings, StudySettings
from actsweep.settings.training import DataSettings, ModelSettings, OptimizerSettings, TrainerSettings, TrialConfig


class StudyConfig(WithPlugins):
    """A whole study, as composed from `conf/` and the command line."""

    run: RunSettings
    study: StudySettings
    search: SearchSettings
    scheduler: SchedulerSettings
    model: ModelSettings
    optimizer: OptimizerSettings
    data: DataSettings
    trainer: TrainerSettings
    cluster: ClusterSettings
    tracker: TrackerSettings
    seed: int = Field(ge=0, lt=2**63)

    def trial(self, changes: dict[str, Any], seed: int) -> TrialConfig:
        """The configuration of one trial of this study.

        Args:
            changes: values by dotted path, such as `{"optimizer.lr": 0.01}`, that replace the study's own.
            seed: the trial's seed.

        Raises:
            RequestError: a path does not exist, or a value is not accepted there.
        """
        tree = self.model_dump(include={"model", "optimizer", "data", "trainer"})
        for path, value in changes.items():
            _replace(tree, path, value)
        return validated(TrialConfig, {**tree, "seed": seed, "plugins": self.plugins})


def _replace(tree: dict[str, Any], path: str, value: object) -> None:
    *parents, leaf = path.split(".")
    node: Any = tree
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    may_be_new = len(parents) == 2 and parents[1] == OPTIONS  # only a plugin knows what options it has
    if not isinstance(node, dict) or (leaf not in node and not may_be_new) or isinstance(node.get(leaf), dict):
        known = sorted(f"{group}.{key}" for group, keys in tree.items() for key in keys)
        raise RequestError(f"cannot sweep {path!r}: no such setting; {known_are(known, path)}")
    node[leaf] = value
