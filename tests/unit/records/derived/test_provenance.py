import shlex
from collections.abc import Callable
from pathlib import Path

import yaml

from actsweep.events import StudyRecord, StudyStarted
from actsweep.records.derived.provenance import Provenance, provenance
from actsweep.settings import StudyConfig
from actsweep.study import Study

DATA = {"label": "digits", "fingerprint": "abc", "classes": 10}


def of(config: StudyConfig, around: dict[str, str] | None = None) -> Provenance:
    record = StudyRecord()
    settings = config.model_dump(mode="json")
    record(StudyStarted(config.run.name, DATA, {"torch": "2.15.0"}, settings, 0.0, around or {}))
    return provenance(Study(config), record)


def test_the_facts_are_those_of_the_study(compose: Callable[..., StudyConfig]) -> None:
    facts = of(compose("experiment=smoke", "study.tune.blocks=2"), {"git": "0123456789ab"}).facts
    assert facts["data"] == "digits, 10 classes (fingerprint abc)"
    assert facts["versions"] == "torch 2.15.0"
    assert facts["git"] == "0123456789ab"
    assert facts["search"].startswith("sobol, 2 blocks of ")
    assert "looks at the results" not in facts


def test_the_settings_are_all_that_results_depend_on(compose: Callable[..., StudyConfig]) -> None:
    config = compose("experiment=smoke")
    settings = yaml.safe_load(of(config).settings)
    whole = config.model_dump(mode="json")
    assert settings == {name: whole[name] for name in whole if name not in ("run", "cluster", "tracker")}


def test_the_command_repeats_a_trial_also_of_a_folder_with_a_space(
    compose: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    command = of(compose("experiment=smoke", f"run.root={tmp_path / 'a place'}")).repeat
    words = shlex.split(command.replace("{trial_id}", "0123456789ab"))
    assert words == ["actsweep", "train", "--from", str(tmp_path / "a place" / "smoke" / "trials" / "0123456789ab")]
