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


def names(command: str, *words: str) -> list[str]:
    found: list[str] = []
    run_with_hydra(command, list(words), lambda config, overrides: found.append(config.run.name) or 0)
    return found


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
    ("word", "message"),
    [
        (
            "experiment=quickstar",
            "experiment=quickstar: no such choice; known are activations, cifar10_small, quickstart",
        ),
        ("optimizer=lion", "optimizer=lion: no such choice; known are adam, adamw, sgd"),
        ("model.widht=3", "model.widht: no such setting; known are activation, depth"),
        ("+model.widht=3", "model.widht: no such setting; known are activation, depth"),
        ("foo=1", "foo: no such setting; known are cluster, data, model"),
        ("traner.epochs=3", "traner: no such setting; known are cluster, data, model"),
        ("study.scientific.model.width=[4,8]", 'to add it, write "+study.scientific.model.width=[4,8]"'),
        ("data.options.scale=2", 'as in the options of a plugin, write "+data.options.scale=2"'),
        ("model.width", "model.width: needs a value: model.width=VALUE"),
        ("epochs", "epochs: needs a value: trainer.epochs=VALUE"),
        ("smoke", "smoke: settings are written NAME=VALUE, such as experiment=smoke"),
        ("run.name=a(b", "run.name=a(b: cannot be read; a text with brackets"),
        ("trainer.epochs=ten", "trainer.epochs: should be a valid integer, not 'ten'"),
        ("--experimental-re=x.pickle", "--experimental-rerun is not supported"),
        ("trainer=3", "trainer=3: takes the name of a choice; known are cpu, gpu; a name that reads like a number has"),
        ("trainer=1.5", "trainer=1.5: takes the name of a choice; known are cpu, gpu"),
        ("optimizer=[3]", "optimizer=[3]: takes the name of a choice; known are adam, adamw, sgd"),
        ("+mine=null", "mine: no such setting; known are cluster, data"),
        ("--config-name=x", "--config-path, --config-name: Cannot find primary config 'x'. Check that"),
        ("--config-path=/nowhere", "Check that the config directory '/nowhere' exists and readable. For choices of"),
        ("--experimental-rerun=x.pickle", "--experimental-rerun is not supported"),
    ],
)
def test_what_hydra_refuses_becomes_one_message(word: str, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        names("sweep", word)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--epochs=3", "sweep: --epochs is no option; settings are written without dashes: trainer.epochs=VALUE"),
        (
            "--optimizer.lr",
            "sweep: --optimizer.lr is no option; settings are written without dashes: optimizer.lr=VALUE",
        ),
        (
            "--extent",
            "known are --extend, --config-dir, --cfg, --resolve, --package, --info, --help; did you mean '--ext",
        ),
        ("--dry-run", "sweep: --dry-run is no option; settings are written NAME=VALUE; known are --extend"),
        ("--e", "sweep: --e is no option"),
        ("--m", "sweep: --m is no option"),
        ("-x", "sweep: -x is no option"),
        ("--multi", "--multirun is for `train` alone"),
        ("--config", "could match --config-path, --config-name, --config-dir"),
        ("--cfg=nope", "invalid choice: 'nope' (choose from"),
        ("--config-dir", "expected one argument"),
    ],
)
def test_an_option_that_there_is_not_is_refused_in_one_line(
    word: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RequestError) as refusal:
        run_with_hydra("sweep", [word], lambda config, overrides: 0, ["--extend"])
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert capsys.readouterr().err == ""


def test_options_may_stand_between_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert names("sweep", "trainer.epochs=3", "--cfg", "job", "experiment=smoke", "--package", "trainer") == []
    assert "epochs: 3\n" in capsys.readouterr().out


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


def test_a_choice_that_reads_like_a_number_has_quotes(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "2024.yaml").write_text("# @package _global_\nrun:\n  name: mine\n")
    folder = f"--config-dir={tmp_path}"
    assert names("sweep", folder, "experiment='2024'") == ["mine"]
    with pytest.raises(RequestError) as refusal:
        names("sweep", folder, "experiment=2024")
    assert "smoke, those of your --config-dir; a name that reads like a number has quotes" in str(refusal.value)


def test_a_file_that_a_choice_of_ones_own_asks_for_is_named(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults:\n  - nothing/x\n")
    with pytest.raises(RequestError) as refusal:
        names("sweep", f"--config-dir={tmp_path}", "experiment=mine")
    assert str(refusal.value) == "In 'experiment/mine': Could not load 'experiment/nothing/x'"


def test_a_folder_of_configurations_stands_beside_the_module() -> None:
    assert names("sweep", "--config-path=conf", "experiment=smoke") == ["smoke"]


def test_a_group_can_be_taken_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert names("sweep", "~trainer", "--cfg=job") == []
    assert "epochs" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word",
    [
        "+hydra.callbacks.x={_target_: builtins.open, file: made, mode: w}",
        "++hydra.job_logging.handlers.x={class: logging.FileHandler, filename: made}",
        "hydra.run.dir=made",
        "hydra.output_subdir=made",
        "hydra.searchpath=[file://made]",
        "++hydra.job.env_set.LD_PRELOAD=made.so",
        "hydra/job_logging=default",
        "hydra={}",
        "+model@hydra.callbacks=cnn",
        "~hydra.job",
    ],
)
def test_a_word_cannot_make_hydra_call_or_write_anything(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="a setting of Hydra itself"):
        names("sweep", word)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("choice", ["{}/evil", "../{}/evil", "[quickstart,{}/evil]", "'{}/evil'", "${{oc.env:HOME}}"])
def test_the_name_of_a_choice_leads_to_no_file_elsewhere(choice: str, tmp_path: Path) -> None:
    (tmp_path / "evil.yaml").write_text("# @package _global_\nrun:\n  name: evil\n")
    with pytest.raises(RequestError, match=r"^experiment=.*: takes the name of a choice"):
        names("sweep", f"experiment={choice.format(tmp_path)}")


@pytest.mark.parametrize(
    "word",
    ["++model._target_=os.system", "+study._target_=os.system", "data={_target_: os.system, _args_: [touch made]}"],
)
def test_a_target_is_a_setting_that_there_is_not(word: str) -> None:
    with pytest.raises(RequestError):
        names("sweep", word)


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


def test_a_path_below_home_is_found_behind_a_settings_dots(compose: Any) -> None:
    assert compose("data=image_folder", "data.root=~/my images").data.root == str(Path.home() / "my images")
    assert compose("data=image_folder", "data.root='~b'").data.root == "~b"


def test_settings_are_composed_within_another_application_of_hydra() -> None:
    with initialize_config_module("actsweep.conf", version_base=None):
        assert actsweep.compose("data=digits").data.name == "digits"
        assert hydra.compose("config", ["optimizer=sgd"]).optimizer.name == "sgd"
