"""Where things are in a study's folder, and the settings of a study and of a trial as files."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from actsweep.errors import RecordsError
from actsweep.plugins import refuse_plugins_in
from actsweep.records.files import write_whole
from actsweep.settings import StudyConfig, TrialConfig, validated

LARGEST_YAML = 2**17  # what takes about a second to read
_LONGEST_NUMBER = 25
RESUME_FILE = "resume.ckpt"
"""In a trial's folder: all that the trial needs to go on after an interruption; gone once the trial has ended."""
TRIAL_FILE = "trial.yaml"
"""There too: the trial's configuration."""
LAST_WEIGHTS, BEST_WEIGHTS = "last.ckpt", "best.ckpt"
"""There too: the network at the trial's end, and at its best validation accuracy."""


@dataclass(frozen=True)
class StudyFolder:
    """The files of one study."""

    path: Path

    @property
    def config_file(self) -> Path:
        """The resolved configuration."""
        return self.path / "study.yaml"

    @property
    def ledger(self) -> Path:
        """Everything that happened."""
        return self.path / "ledger.jsonl"

    @property
    def curves(self) -> Path:
        """One row per trial and evaluation."""
        return self.path / "curves.parquet"

    @property
    def results(self) -> Path:
        """Measures, cells, comparisons and verdicts."""
        return self.path / "results.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def optuna(self) -> Path:
        """The mirror of the tune phase for Optuna's own tools."""
        return self.path / "optuna.db"

    @property
    def scratch(self) -> Path:
        """What the running sweep needs for itself; nothing in it is ever read again."""
        return self.path / ".scratch"

    @property
    def halt(self) -> Path:
        """There while the driver wants all running trials to end: what workers on any node can see."""
        return self.scratch / "halt"

    def trial(self, trial_id: str) -> Path:
        """The folder of one trial."""
        return self.path / "trials" / trial_id

    def write_config(self, config: StudyConfig) -> None:
        """Make the folder, if it is not there, and write the configuration into it."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_yaml(self.config_file, config.model_dump(mode="json"))

    def write_trial(self, trial_id: str, config: TrialConfig) -> None:
        """Make a trial's folder and write the trial's configuration into it."""
        self.trial(trial_id).mkdir(parents=True, exist_ok=True)
        write_yaml(self.trial(trial_id) / TRIAL_FILE, config.model_dump(mode="json"))

    def refuse_links(self) -> None:
        """Check that nothing here leads elsewhere: a study makes no links, and what it writes stays in its folder.

        Raises:
            RecordsError: one of the study's own files or folders, or that of a trial, is a symbolic link, or is neither
                file nor folder, as a pipe is, which would hold its reader for ever.
        """
        trials = self.trial("any").parent
        for folder in (self.path, trials):
            if folder.is_dir():
                with os.scandir(folder) as entries:
                    for entry in entries:
                        _refuse_special(entry)

    def refuse_missing(self) -> None:
        """Check that the folder is there.

        Raises:
            RecordsError: it is not.
        """
        if not self.path.is_dir():
            raise RecordsError(f"{self.path} holds no study: there is no such folder")

    def read_config(self) -> StudyConfig:
        """The configuration that the study was started with.

        Raises:
            RecordsError: the folder holds no study.
            RequestError: the file is damaged or of another version.
        """
        self.refuse_missing()
        if not self.config_file.is_file():
            raise RecordsError(f"{self.path} holds no study: there is no {self.config_file.name} in it")
        tree = _read_yaml(self.config_file)
        refuse_plugins_in(self.path, tree.get("plugins"))
        return validated(StudyConfig, tree)


def _refuse_special(entry: "os.DirEntry[str]") -> None:
    if entry.is_symlink():
        raise RecordsError(f"{entry.path} is a link, which no study has made; remove it")
    if not entry.is_file() and not entry.is_dir():
        raise RecordsError(f"{entry.path} is neither file nor folder, which no study has made; remove it")


def read_trial(folder: Path) -> TrialConfig:
    """The configuration of the trial that a folder belongs to.

    Raises:
        RecordsError: there is none, or the file is damaged.
        RequestError: it is of another version.
    """
    file = folder / TRIAL_FILE
    if not file.is_file() or file.is_symlink():
        raise RecordsError(f"{folder} holds no trial: there is no {file.name} in it")
    tree = _read_yaml(file)
    refuse_plugins_in(folder.parent.parent, tree.get("plugins"))
    return validated(TrialConfig, tree)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_YAML + 1)
        if len(content) > LARGEST_YAML:
            raise RecordsError(f"{path} is damaged: it is larger than settings are ({LARGEST_YAML} bytes)")
        tree = yaml.load(content, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
        raise RecordsError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise RecordsError(f"{path} is damaged: it holds no settings")
    return tree


def write_yaml(path: Path, tree: object) -> None:
    """Write a tree of plain values as YAML, keys in the order given."""
    with write_whole(path) as temporary:
        temporary.write_text(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


class _Dumper(yaml.SafeDumper):
    """Writes what is used twice out twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


class _Loader(yaml.SafeLoader):
    """Reads plain values alone, as `write_yaml` writes them: every key is text, and is there once.

    A few aliases of aliases could stand for more than any memory holds.
    """

    def construct_yaml_int(self, node: Any) -> Any:
        """A whole number; one of very many digits, or written to base 60, takes very long to read."""
        if len(node.value) > _LONGEST_NUMBER:
            raise yaml.YAMLError(f"a whole number of more than {_LONGEST_NUMBER} signs{node.start_mark}")
        return super().construct_yaml_int(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A mapping, of whose keys none hides another."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                raise yaml.YAMLError(f"a key is there twice, or is no text{key_node.start_mark}")
            seen.add(key)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A node, which is no alias."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("it holds an alias (*)")
        return super().compose_node(parent, index)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
