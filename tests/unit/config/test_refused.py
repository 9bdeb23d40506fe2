from pathlib import Path

import pytest

from actsweep.errors import RequestError
from composed import names


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
        ("trainer=3", "trainer=3: takes the name of a choice; known are cpu, gpu"),
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


def test_a_choice_that_reads_like_a_number_has_quotes(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "2024.yaml").write_text("# @package _global_\nrun:\n  name: mine\n")
    folder = f"--config-dir={tmp_path}"
    assert names("sweep", folder, "experiment='2024'") == ["mine"]
    with pytest.raises(RequestError) as refusal:
        names("sweep", folder, "experiment=2024")
    assert "smoke, those of your --config-dir (for one that is called so: experiment=\"'2024'\")" in str(refusal.value)


def test_a_file_that_a_choice_of_ones_own_asks_for_is_named(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults:\n  - nothing/x\n")
    with pytest.raises(RequestError) as refusal:
        names("sweep", f"--config-dir={tmp_path}", "experiment=mine")
    assert str(refusal.value) == "In 'experiment/mine': Could not load 'experiment/nothing/x'"


@pytest.mark.parametrize(
    "word",
    ["++model._target_=os.system", "+study._target_=os.system", "data={_target_: os.system, _args_: [touch made]}"],
)
def test_a_target_is_a_setting_that_there_is_not(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="no such setting"):
        names("sweep", word)
    assert list(tmp_path.iterdir()) == []
