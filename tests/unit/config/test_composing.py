import os
import sys
from pathlib import Path
from typing import Any

import hydra
import pytest
from hydra import initialize_config_module

import actsweep
from actsweep.config import config_folder, run_with_hydra
from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from composed import names


@pytest.mark.parametrize("experiment", ["quickstart", "smoke"])
def test_experiments_compose(experiment: str) -> None:
    assert names("sweep", f"experiment={experiment}") == [experiment]


def test_every_group_choice_composes() -> None:
    for group in ("search", "scheduler", "optimizer", "trainer", "cluster", "tracker"):
        choices = list((config_folder() / group).glob("*.yaml"))
        assert len(choices) > 1
        for choice in choices:
            assert names("sweep", f"{group}={choice.stem}") == ["quickstart"]


def test_image_folder_needs_its_root() -> None:
    with pytest.raises(RequestError, match=r"^data.root is needed"):
        names("sweep", "experiment=cifar10_small")
    assert names("sweep", "experiment=cifar10_small", "data.root=images") == ["cifar10_small"]


@pytest.mark.parametrize(
    "word", ["model.activation=gelu", "optimizer.lr=0.1", "++model.depth=4", "model={activation:gelu}"]
)
def test_a_swept_setting_can_be_overridden_for_train_alone(word: str) -> None:
    assert names("train", word) == ["quickstart"]
    with pytest.raises(RequestError, match="is swept in this study"):
        names("sweep", word)


def test_a_folder_of_ones_own_is_found_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nrun:\n  name: mine\n")
    assert names("sweep", "--config-dir", str(tmp_path), "experiment=mine") == ["mine"]


def test_a_folder_of_configurations_stands_beside_the_module() -> None:
    assert names("sweep", "--config-path=conf", "experiment=smoke") == ["smoke"]


def test_a_group_can_be_taken_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert names("sweep", "~trainer", "--cfg=job") == []
    assert "epochs" in capsys.readouterr().out


def test_multirun_calls_once_per_combination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names("train", "--multirun", "seed=1,2,3", f"run.root={tmp_path}") == ["quickstart"] * 3


def test_python_gets_the_settings_that_a_command_line_does() -> None:
    config = actsweep.compose("model.activation=tanh", "seed=3")
    assert (config.model.activation, config.seed, config.optimizer.name) == ("tanh", 3, "adam")


@pytest.mark.parametrize(("words", "count"), [(("--help",), 0), (("--multirun", "seed=0,1"), 2)])
def test_python_gets_one_configuration(
    words: tuple[str, ...], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=f"give {count} configurations, where one is asked for"):
        actsweep.compose(*words)


def test_the_exit_code_is_the_largest_of_the_calls(tmp_path: Path) -> None:
    def code(config: StudyConfig, overrides: list[str]) -> int:
        return config.seed

    assert run_with_hydra("train", ["--multirun", "seed=0,1,0", f"run.root={tmp_path}"], code) == 1


def test_hydras_flags_answer_by_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    assert names("sweep", "--cfg", "job") == []
    assert "activation: relu" in capsys.readouterr().out
    assert names("sweep", "--help") == []
    assert "experiment: activations, cifar10_small, quickstart, relu_vs_sigmoid, smoke" in capsys.readouterr().out


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = (sys.argv, dict(os.environ))
    names("sweep")
    with pytest.raises(RequestError):
        names("sweep", "foo=1")
    assert list(tmp_path.iterdir()) == []
    assert (sys.argv, dict(os.environ)) == before


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (3, 3), ("a plugin gives up", 1)])
def test_what_leaves_the_process_is_no_success_unless_it_says_so(code: object, expected: int) -> None:
    def leave(config: StudyConfig, overrides: list[str]) -> int:
        raise SystemExit(code)

    assert run_with_hydra("train", [], leave) == expected


def test_a_setting_may_refer_to_another_and_its_word_stays_as_written() -> None:
    found: list[object] = []
    word = "trainer.epochs=${model.depth}"
    run_with_hydra("sweep", [word], lambda config, overrides: found.extend([config.trainer.epochs, *overrides]) or 0)
    assert found == [3, word]


def test_resources_of_ones_own_are_added_by_name(compose: Any) -> None:
    config = compose("experiment=smoke", "cluster=ray", "+cluster.resources.custom.fast_disk=0.5")
    assert config.cluster.resources.custom == {"fast_disk": 0.5}
    with pytest.raises(RequestError, match=r"to add a setting, write \+cluster.resources.custom.PATH"):
        compose("experiment=smoke", "cluster.resources.custom={fast_disk: 1}")


def test_settings_are_composed_within_another_application_of_hydra() -> None:
    with initialize_config_module("actsweep.conf", version_base=None):
        assert actsweep.compose("data=digits").data.name == "digits"
        assert hydra.compose("config", ["optimizer=sgd"]).optimizer.name == "sgd"
