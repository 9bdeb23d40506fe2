from pathlib import Path
from typing import Any

import pytest

from actsweep.config import run_with_hydra
from actsweep.errors import RequestError
from composed import names


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


def test_a_path_below_home_is_found_behind_a_settings_dots(compose: Any) -> None:
    assert compose("data=image_folder", "data.root=~/my images").data.root == str(Path.home() / "my images")
    assert compose("data=image_folder", "data.root='~b'").data.root == "~b"
