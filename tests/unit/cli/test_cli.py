import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.cli import COMMANDS, run
from actsweep.cli.command import Command as Entry
from actsweep.cli.sweeps import _placed
from actsweep.records import StudyFolder, open_study
from actsweep.settings import StudyConfig

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"actsweep {version('actsweep')}\n"


def test_help_and_status_load_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from actsweep.cli import run\n"
        "run(['--help']); run(['status', 'nowhere']); run(['list', '--root', '.'])\n"
        "print({'torch', 'ray', 'hydra', 'wandb', 'pandas', 'optuna'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_missing_word_is_refused_with_the_form_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["resume"]) == 2
    assert "the form is: actsweep resume RUN_DIR" in capsys.readouterr().err


def test_train_shows_its_curve_and_keeps_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", "experiment=smoke", "model.activation=gelu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["0", "1", "2"]
    assert lines[-1].startswith("completed; test accuracy 0.")
    (folder,) = (tmp_path / "outputs" / "smoke" / "trials").iterdir()
    assert {path.name for path in folder.iterdir()} == {"trial.yaml", "last.ckpt", "best.ckpt"}


def test_a_trial_that_takes_too_long_has_failed_and_was_no_wrong_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", "experiment=smoke", "trainer.trial_timeout=0.001"]) == 1
    assert capsys.readouterr().err.startswith("actsweep: the trial took longer than trainer.trial_timeout=0.001")


def test_an_interrupted_command_says_what_to_call_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(words: list[str], debug: bool) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "report", Entry("", "", interrupted))
    assert run(["report", "a place"]) == 130
    assert capsys.readouterr().err == "actsweep: interrupted; to begin again: actsweep report 'a place'\n"


@pytest.mark.parametrize(
    ("asked", "folder"), [("smoke", "smoke"), (".", "smoke"), ("../alias", "alias"), ("trials/..", "smoke")]
)
def test_a_study_goes_on_in_the_folder_that_was_named(
    asked: str, folder: str, compose: Callable[..., StudyConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = StudyFolder(tmp_path / "smoke")
    study.write_config(compose("experiment=smoke"))
    (study.path / "trials").mkdir()
    (tmp_path / "alias").symlink_to(study.path)
    monkeypatch.chdir(tmp_path if asked == folder else study.path)
    place = _placed(open_study(StudyFolder(Path(asked))).config, Path(asked)).run
    assert Path(place.root).resolve() / place.name == tmp_path / folder


class TestCompletion:
    def complete(self, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        command = line.split(" ")[1]
        assert run([command, "-sc", "query=bash"] if command in COMMANDS else ["-sc", "query=bash"]) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        return shown.out.split()

    def test_of_commands(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.complete("actsweep s", monkeypatch, capsys) == ["sweep", "submit", "stop", "status", "show"]

    def test_of_overrides(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        found = self.complete("actsweep sweep experiment=", monkeypatch, capsys)
        names = ("activations", "cifar10_small", "quickstart", "relu_vs_sigmoid", "smoke")
        assert found == [f"experiment={name}" for name in names]

    @pytest.mark.parametrize(
        ("line", "options"),
        [
            ("actsweep sweep --ex", ["--extend"]),
            ("actsweep sweep experiment=smoke --c", ["--config-dir", "--cfg"]),
            ("actsweep export outputs/x --f", ["--format"]),
            ("actsweep export outputs/x --", ["--help", "--cell", "--format", "--out"]),
            ("actsweep analyze a.csv --t", ["--target-hi", "--target-lo"]),
            ("actsweep logs ID --a", ["--address"]),
            ("actsweep sweep --nothing", []),
        ],
    )
    def test_of_options(
        self, line: str, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.complete(line, monkeypatch, capsys) == options

    @pytest.mark.parametrize(
        ("line", "values"),
        [
            ("actsweep train model.activation=s", ["model.activation=sigmoid", "model.activation=silu"]),
            ("actsweep sweep ++trainer.precision=", ["++trainer.precision=fp32", "++trainer.precision=bf16"]),
            ("actsweep plan study.measure_cost=f", ["study.measure_cost=false"]),
            ("actsweep sweep scheduler.name=n", ["scheduler.name=none"]),
            ("actsweep sweep experiment=smoke data.train=", ["data.train=256"]),
        ],
    )
    def test_of_values(
        self, line: str, values: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.complete(line, monkeypatch, capsys) == values

    @pytest.mark.parametrize(
        "line",
        [
            "actsweep sweep study.scientific.model.activation=",
            "actsweep export outputs/",
            "actsweep sweep nosuch.",
            "actsweep sweep a=[ b",
        ],
    )
    def test_of_what_nothing_is_known_of(
        self, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.complete(line, monkeypatch, capsys) == []

    def test_of_settings_behind_an_option(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for before in ("--extend", "--config-dir mine", "--config-dir=mine"):
            line = f"actsweep sweep {before} scheduler=as"
            assert self.complete(line, monkeypatch, capsys) == ["scheduler=asha"]

    @pytest.mark.parametrize("option", ["--config-dir {}", "--config-dir={}"])
    def test_of_choices_of_ones_own(
        self, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "experiment").mkdir()
        (tmp_path / "experiment" / "mine.yaml").touch()
        line = f"actsweep sweep {option.format(tmp_path)} experiment=m"
        assert self.complete(line, monkeypatch, capsys) == ["experiment=mine"]

    def test_is_installed_behind_the_command_word_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["sweep", "-sc", "install=bash"]) == 0
        assert "complete" in capsys.readouterr().out
