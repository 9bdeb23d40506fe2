"""Every command of README.md and docs/ is run, or understood by whatever reads its words; all Python there is run.

What takes minutes, a cluster or W&B is only read: a wrong command, option, group, setting or value fails here all the
same.
"""

import itertools
import json
import re
import shutil
import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actsweep.cli import COMMANDS, run
from actsweep.config import run_with_hydra
from actsweep.study import Study
from documented import MODULE, ROOT, Block, Documented, blocks, commands, write_files

Command = Callable[..., subprocess.CompletedProcess[str]]
ALL = list(dict.fromkeys(commands()))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SWEEPING_TARGETS = ("sweep", "submit", "wandb")
RUN_HERE = {"analyze", "clean", "compare", "export", "list", "report", "show", "status", "train", "verify"}
RUN_APART = {"doctor", "plan", "resume"}  # with Ray, or with a probe that is to have the machine's usual threads
NOT_HERE = ("relu_vs_sigmoid", "cifar10_small", "activations", "cluster=ray")  # need files, a GPU or a cluster
STUDIES = ("outputs/quickstart", "outputs/mine", "outputs/relu_gelu")
OWN_OPTIONS = {"--json": 0, "--extend": 0, "--follow": 0, "--resume": 0, "--out": 1}  # of commands that Hydra reads


@dataclass(frozen=True)
class Place:
    """A folder with all that the pages name: studies, curves, logs and modules."""

    folder: Path
    trial: str

    def words(self, documented: Documented) -> list[str]:
        """The words of a command, with what stands for a trial or a folder of one's own put in."""
        known = {"0123": self.trial[:6], "/shared/studies": "outputs"} if documented.words[0] in RUN_HERE else {}
        return [known.get(word, word.replace("0123456789ab", self.trial)) for word in documented.words]


@pytest.fixture(scope="module")
def place(smoke: Any, tmp_path_factory: pytest.TempPathFactory) -> Place:
    import pandas as pd

    folder = tmp_path_factory.mktemp("reader")
    for study in STUDIES:
        shutil.copytree(smoke.folder, folder / study)
    curves = pd.read_parquet(smoke.folder / "curves.parquet")
    curves.to_parquet(folder / "b.parquet")
    for name in ("curves.csv", "a.csv"):
        curves.to_csv(folder / name, index=False)
    write_logs(folder / "logs")
    write_tune_results(folder / "tuned")
    write_files(folder)
    return Place(folder, min(path.name for path in (smoke.folder / "trials").iterdir()))


def write_logs(folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for activation, seed in itertools.product(("relu", "sigmoid"), (0, 1)):
        with SummaryWriter(str(folder / f"activation={activation},seed={seed}")) as writer:  # type: ignore[no-untyped-call]
            for epoch in range(3):
                writer.add_scalar("val/accuracy", 0.1 + 0.2 * epoch, epoch)  # type: ignore[no-untyped-call]


def write_tune_results(folder: Path) -> None:
    for activation, seed in itertools.product(("relu", "logistic"), (1, 2)):
        trial = folder / f"{activation}{seed}"
        trial.mkdir(parents=True)
        (trial / "params.json").write_text(json.dumps({"activation": activation, "seed": seed}))
        rows = [{"training_iteration": epoch, "val_acc": 0.2 * epoch} for epoch in (1, 2, 3)]
        (trial / "result.json").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path))
    return place


def is_run(command: Documented, kinds: set[str]) -> bool:
    told = any(name in word for word in command.words for name in NOT_HERE)
    return command.program == "actsweep" and command.words[0] in kinds and not told


def has_plugins(command: Documented) -> bool:
    return any(word.startswith("plugins=") for word in command.words)


RUN = [each for each in ALL if is_run(each, RUN_HERE) and not has_plugins(each)]
APART = [each for each in ALL if is_run(each, RUN_APART) or (is_run(each, {"train"}) and has_plugins(each))]


READ = [each for each in ALL if each not in RUN and each not in APART]


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN, ids=str)
def test_it_runs(command: Documented, here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here.words(command)) == 0, capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("command", APART, ids=str)
def test_it_runs_in_a_process_of_its_own(command: Documented, here: Place, actsweep: Command) -> None:
    done = actsweep(*here.words(command), cwd=here.folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", READ, ids=str)
def test_it_is_understood(command: Documented, here: Place, actsweep: Command) -> None:
    if command.program == "make":
        understand_target(command)
    elif not COMMANDS[command.words[0]].takes_overrides:
        understand_words(command)
    elif has_plugins(command):  # which this process would keep
        done = actsweep("export-sweep", *command.words[1:], cwd=here.folder)
        assert done.returncode == 0, done.stderr
    else:
        understand_settings(command.words[0], list(command.words[1:]))


def understand_target(command: Documented) -> None:
    target, *variables = command.words
    assert target in TARGETS
    given = dict(variable.split("=", 1) for variable in variables)
    assert set(given) <= {"ARGS", "EXPERIMENT", "RUN"}
    if target in SWEEPING_TARGETS:
        experiment = given.get("EXPERIMENT", "quickstart")
        understand_settings("sweep", [f"experiment={experiment}", *given.get("ARGS", "").split()])


def understand_settings(command: str, words: list[str]) -> None:
    rest, settings = iter(words), []
    for word in rest:
        if word in OWN_OPTIONS:
            assert word in COMMANDS[command].usage
            list(itertools.islice(rest, OWN_OPTIONS[word]))
        else:
            settings.append(word)
    composed = []
    run_with_hydra(command, settings, lambda config, overrides: composed.append(Study(config)) or 0)
    assert composed


class UnderstoodError(Exception):
    """The parser has read the words."""


def understand_words(command: Documented) -> None:
    parse = ArgumentParser.parse_args

    def only_parse(parser: ArgumentParser, args: Any = None, namespace: Any = None) -> Namespace:
        parse(parser, args, namespace)
        raise UnderstoodError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArgumentParser, "parse_args", only_parse)
        with pytest.raises(UnderstoodError):
            COMMANDS[command.words[0]].run(list(command.words[1:]), False)


def test_no_page_is_left_out() -> None:
    assert len(RUN) + len(APART) + len(READ) == len(ALL)
    assert {command.words[0] for command in ALL if command.program == "actsweep"} == set(COMMANDS)


def test_commands_within_sentences_are_commands() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
    text = "\n".join(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S) for page in pages)
    named = set(re.findall(r"`(?:\.venv/bin/)?actsweep ([^`\s]+)", text))
    assert {word for word in named if not word.startswith("-")} <= {*COMMANDS, "COMMAND"} | {"..."}
    assert set(re.findall(r"`make ([^`\s]+)", text)) <= TARGETS


SCRIPTS = [block for block in blocks() if block.language == "python"]
STUDY_FILES = [block for block in blocks() if block.language == "yaml" and re.search("^study:", block.text, re.M)]


@pytest.mark.parametrize("block", SCRIPTS, ids=lambda block: block.page)
def test_python_is_whole(block: Block, here: Place) -> None:
    """Modules, which would register their parts in this process for good, are compiled; the others run."""
    code = compile(block.text.replace("0123456789ab", here.trial), block.page, "exec")
    if not MODULE.match(block.text):
        exec(code, {})


@pytest.mark.parametrize("block", STUDY_FILES, ids=lambda block: block.page)
def test_a_study_that_is_written_out_is_one(block: Block, here: Place, tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "written.yaml").write_text("# @package _global_\n" + block.text.removeprefix("# @package _global_\n"))
    understand_settings("sweep", ["--config-dir", str(tmp_path), "experiment=written"])
