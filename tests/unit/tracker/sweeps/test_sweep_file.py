"""The sweep file for W&B's agents."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.tracker import agents_sweep, sweep_text
from actsweep.tracker.sweeps.sweep_file import study_sweep

Compose = Callable[..., StudyConfig]
WORDS = ("experiment=smoke", "study.scientific.model.depth=[3,4]")


def test_a_range_is_drawn_at_random(compose: Compose) -> None:
    study = Study(compose(*WORDS))
    sweep = agents_sweep(study, WORDS)
    assert sweep["method"] == "random"
    assert sweep["parameters"] == {
        "model.activation": {"values": ["relu", "sigmoid"]},
        "model.depth": {"values": [3, 4]},
        "optimizer.lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "seed": {"distribution": "int_uniform", "min": 0, "max": 2**31 - 1},
    }
    assert sweep["command"] == ["${env}", "actsweep", "train", *WORDS, "tracker=wandb_online", "${args_no_hyphens}"]


def test_where_all_that_is_swept_are_lists_it_is_a_grid(compose: Compose) -> None:
    lists = ("study.nuisance.optimizer.lr=null", "+study.nuisance.optimizer.weight_decay=[0.1,0.01]")
    sweep = agents_sweep(Study(compose(*WORDS, *lists)), WORDS)
    assert sweep["method"] == "grid"
    assert sweep["parameters"]["optimizer.weight_decay"] == {"values": [0.1, 0.01]}
    assert sweep["parameters"]["seed"] == {"values": [0, 1]}


@pytest.mark.parametrize(
    ("path", "distribution", "low", "high"),
    [("data.batch_size", "int_uniform", 8, 64), ("optimizer.weight_decay", "uniform", 0.0, 0.5)],
)
def test_ranges_keep_their_distribution(
    compose: Compose, path: str, distribution: str, low: float, high: float
) -> None:
    space = f"+study.nuisance.{path}={{distribution:{distribution},min:{low},max:{high}}}"
    sweep = agents_sweep(Study(compose("experiment=smoke", space)), ())
    assert sweep["parameters"][path] == {"distribution": distribution, "min": low, "max": high}


def test_the_sweep_of_a_studys_own_runs_knows_settings_by_their_short_names(compose: Compose) -> None:
    sweep = study_sweep(Study(compose(*WORDS)))
    assert (sweep["name"], sweep["method"]) == ("smoke", "custom")
    assert sweep["parameters"] == {
        "activation": {"values": ["relu", "sigmoid"]},
        "depth": {"values": [3, 4]},
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
    }


def test_named_arms_are_values_of_one_parameter_there(compose: Compose) -> None:
    arms = "study.arms={a:{model:{activation:relu}},b:{model:{activation:sigmoid}}}"
    study = Study(compose("experiment=smoke", "study.scientific.model.activation=null", arms))
    assert study_sweep(study)["parameters"]["arm"] == {"values": ["a", "b"]}


def test_named_arms_cannot_be_said(compose: Compose) -> None:
    arms = "study.arms={a:{model:{activation:relu}},b:{model:{activation:sigmoid}}}"
    study = Study(compose("experiment=smoke", "study.scientific.model.activation=null", arms))
    with pytest.raises(RequestError, match=r"study\.arms: a W&B sweep draws each setting by itself"):
        agents_sweep(study, ())


def test_the_file_is_yaml_and_says_what_made_it(compose: Compose) -> None:
    sweep = agents_sweep(Study(compose(*WORDS)), WORDS)
    text = sweep_text(sweep, "actsweep export-sweep", 16)
    assert text.startswith("# actsweep export-sweep\n# It has no end; as many runs as the study has trials: ")
    assert "wandb agent --count 16 ID\n" in text
    assert yaml.safe_load(text) == sweep
    assert "no end" not in sweep_text({**sweep, "method": "grid"}, "actsweep export-sweep", 16)


def test_the_command_writes_it(actsweep: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    shown = actsweep("export-sweep", "experiment=smoke", cwd=tmp_path)
    written = actsweep("export-sweep", "--out=a b.yaml", "experiment=smoke", cwd=tmp_path)
    assert (shown.returncode, written.returncode) == (0, 0), written.stderr
    assert (tmp_path / "a b.yaml").read_text() == shown.stdout
    assert "wandb sweep 'a b.yaml'" in written.stdout


@pytest.mark.parametrize("words", [("--out",), ("--out=",), ("--out", "a", "--out", "b")])
def test_an_option_without_its_one_value_is_refused(
    actsweep: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = actsweep("export-sweep", "experiment=smoke", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("actsweep: --out: needs one value")
    assert list(tmp_path.iterdir()) == []
