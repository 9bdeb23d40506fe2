"""Requests that cannot be met: each is one message that says what is wrong, and leaves nothing behind."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from actsweep.cli import run
from actsweep.records import StudyFolder
from actsweep.settings import StudyConfig
from actsweep.settings.study import SearchSettings

SEARCHES = ", ".join(sorted(get_args(SearchSettings.model_fields["name"].annotation)))
BAD = [
    # unknown names
    (["swep"], "'swep' is no command; known are"),
    (["sweep", "experiment=nope"], "experiment=nope: no such choice; known are"),
    (["sweep", "search=sobl"], f"search=sobl: no such choice; known are {SEARCHES}"),
    (["sweep", "scheduler=hyperband"], "scheduler=hyperband: no such choice; known are asha, none"),
    (["sweep", "optimizer=adamm"], "did you mean 'adam'?"),
    (["sweep", "nosuch=1"], "nosuch"),
    (["sweep", "model.widht=8"], "widht"),
    (["sweep", "+model.widht=8"], "model.widht: no such setting"),
    (["train", "model.activation=rellu"], "did you mean 'relu'?"),
    (["sweep", "study.scientific.model.activation=[relu,sigmoit]"], "did you mean 'sigmoid'?"),
    (["sweep", "+study.scientific.model.widht=[4,8]"], "cannot sweep 'model.widht': no such setting"),
    (["sweep", "study.reference=gelu"], "study.reference: 'gelu' is not compared; the arms are relu, sigmoid"),
    (["sweep", "study.factor=model.width"], "study.factor: 'model.width' is not swept"),
    (["sweep", "trainer.precision=fp16"], "trainer.precision: 'fp16' is not accepted; known are fp32, bf16"),
    (["sweep", "plugins=[no_such_module_here]"], "no_such_module_here"),
    (["sweep", "plugins=my_swish"], "plugins: takes a list, written plugins=[my_swish]"),
    (["sweep", "data=image_folder", f"data.root={__file__}"], "that is a file, not a folder"),
    (["sweep", "plugins=[my_swish.py]"], "'my_swish.py' is a file; a module is named without .py: plugins=[my_swish]"),
    (["train", "model.activation=my_swish"], "did you mean 'mish'? One of your own needs plugins=[MODULE]"),
    (
        ["sweep", "search=null"],
        f"search=null: takes the name of a choice; known are {SEARCHES}",
    ),
    (["sweep", "trainer.epochs=${nope}"], "trainer.epochs: Interpolation key 'nope' not found"),
    (["sweep", "run.name=${oc.env:NO_SUCH_VARIABLE}"], "run.name: "),
    (["sweep", "--resolve"], "--resolve"),
    (["sweep", "--epochs", "3"], "sweep: --epochs is no option; settings are written without dashes: trainer.epochs="),
    (["plan", "--jsn"], "plan: --jsn is no option; settings are written NAME=VALUE; known are --json, --config-dir"),
    (["sweep", "--lr", "3"], "optimizer.lr=VALUE"),
    # overrides of what is swept
    (["sweep", "model.activation=gelu"], "model.activation is swept in this study"),
    (["plan", "model.activation=gelu"], "model.activation is swept in this study"),
    (["plan", "optimizer.lr=0.1"], "change study.nuisance.optimizer.lr instead"),
    (["doctor", "optimizer.lr=0.1"], "optimizer.lr is swept in this study"),
    # ranges
    (["sweep", "study.replicate.seeds=0"], "study.replicate.seeds: should be greater than 0, not 0"),
    (["sweep", "study.tune.points=-1"], "study.tune.points: should be greater than 0, not -1"),
    (["sweep", "study.tune.spare=1.5"], "study.tune.spare: should be less than or equal to 1, not 1.5"),
    (
        ["sweep", "study.target.hi=97"],
        "study.target.hi: should be less than or equal to 1, not 97; it is a fraction: 0.97",
    ),
    (["sweep", "study.target.hi=0.5", "study.target.lo=0.9"], "study.target.lo=0.9 is above study.target.hi=0.5"),
    (["train", "optimizer.lr=-1"], "optimizer.lr: should be greater than 0"),
    (["train", "optimizer.lr=.nan"], "optimizer.lr"),
    (["train", "model.depth=0"], "model.depth: should be greater than or equal to 1, not 0"),
    (["train", "seed=-1"], "seed: should be greater than or equal to 0, not -1"),
    (["sweep", "trainer.epochs=2.5"], "trainer.epochs: should be a valid integer, not 2.5"),
    (["sweep", "trainer.eval_every=3", "trainer.epochs=20"], "trainer.eval_every=3 does not divide trainer.epochs=20"),
    (["sweep", "study.nuisance.optimizer.lr.max=1e-9"], "is not below max=1e-09"),
    (["sweep", "study.scientific.model.activation=[relu]"], "needs at least two values to compare"),
    (["sweep", "study.scientific.model.activation=relu"], "needs a list of values"),
    (["sweep", "study.max_trials=35"], "study.max_trials=35, but the study asks for 36 trials"),
    (["sweep", "study.replicate.seeds=1000000"], "raise the limit or ask for fewer"),
    (["sweep", "scheduler=asha", "scheduler.grace=20"], "scheduler.grace=20"),
    (["train", "trainer.threads=99999999999"], "trainer.threads: should be less than or equal to 1024"),
    (["train", "trainer.epochs=99999999999999999999"], "trainer.epochs: should be less than or equal to 1000000"),
    (["train", "data.batch_size=99999999999999999999"], "data.batch_size: should be less than or equal to 1000000000"),
    (["train", "data.seed=99999999999999999999"], "data.seed: should be less than 9223372036854775808"),
    (["sweep", "study.seed=99999999999999999999"], "study.seed: should be less than 9223372036854775808"),
    (["sweep", "trainer=gpu"], "trainer.accelerator=gpu needs cluster.resources.gpu above 0"),
    # data
    (["sweep", "data.train=100000"], "data.train=100000 and data.val=null do not fit"),
    (["plan", "data.test=5000"], "data.test=5000: there are 1797 images"),
    (["train", "data.val=2000"], "data.val=2000 do not fit"),
    (["sweep", "data=image_folder"], "data.root is needed"),
    (["sweep", "data=image_folder", "data.root=nowhere"], "nowhere: there is no such folder (looked for /"),
    (["sweep", "data=image_folder", "data.root=/nowhere"], "data.root=/nowhere: there is no such folder\n"),
    # places and names
    (["sweep", "run.name=../up"], "'../up' is no plain name"),
    (["sweep", "run.name=/etc"], "'/etc' is no plain name"),
    (["sweep", "run.root="], "run.root: should have at least 1 character"),
    (["status", "nowhere"], "nowhere holds no study: there is no such folder"),
    (["resume", "nowhere"], "nowhere holds no study: there is no such folder"),
    (["report", "nowhere"], "nowhere holds no study: there is no such folder"),
    (["verify", "nowhere"], "nowhere holds no study: there is no such folder"),
    (["status"], "outputs holds no study; give a study's folder"),
    (["show", "nowhere", "abc"], "nowhere holds no study"),
    (["clean", "nowhere", "--yes"], "nowhere holds no study"),
    (["clean"], "give a study's folder, or --cache"),
    (["list", "--root", "nowhere"], "nowhere: no such folder"),
    (["train", "--from", "nowhere/trials/0123456789ab"], "holds no study"),
    (["train", "--from", "nowhere"], "the form is RUN_DIR/trials/ID"),
    (["train", "--from", "a/trials/b", "seed=1"], "unrecognized arguments: seed=1"),
    (["resume"], "the following arguments are required: RUN_DIR; the form is: actsweep resume RUN_DIR"),
    (["show", "x"], "the form is: actsweep show RUN_DIR TRIAL"),
    (["analyze", "nowhere.csv"], "nowhere.csv"),
    (["compare", "nowhere", "elsewhere"], "nowhere holds no study"),
    (["compare", "nowhere"], "compare: needs the folders of two studies or more, each once"),
    (["compare", "nowhere", "here", "./nowhere"], "compare: needs the folders of two studies or more, each once"),
    # elsewhere
    (["submit"], "submit needs cluster=ray"),
    (["jobs"], "--address: needs the address of a job server, such as http://10.0.0.5:8265\n"),
    (["jobs", "-a", "x"], "such as http://10.0.0.5:8265, not 'x'"),
    (["sweep", "cluster=ray", "cluster.address=null"], "cluster.address is needed with cluster=ray"),
    (["sweep", "cluster.address=10.0.0.5:6379"], "would have no effect: cluster=local starts a Ray of its own"),
    (["sweep", "tracker=wandb_online"], "set WANDB_API_KEY, or run `wandb login` once"),
    (["sweep", "--multirun", "seed=1,2"], "--multirun is for `train` alone"),
    (["sweep", "seed=1,2"], "seed=1,2: takes one value; a list is written seed=[1,2]"),
]


def everything(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_it_is_one_message_that_helps_and_leaves_nothing(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.startswith("actsweep: ")
    assert shown.err.count("actsweep: ") == 1
    assert not re.search(r"Traceback|Error:|HYDRA_FULL_ERROR|site-packages", shown.err)
    assert shown.out == ""
    assert everything(tmp_path) == []


def test_what_a_terminal_would_act_on_is_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "\x1b[31mnowhere\x07"]) == 2
    assert r"\x1b[31mnowhere\x07 holds no study" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert run(["train", "experiment=smoke", "run.root=file"]) == 2
    assert re.fullmatch(r"actsweep: file/.*: Not a directory\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "experiment=smoke", "trainer.epochs=4"], "trainer.epochs: 2 there, 4 asked"),
        (["sweep", "experiment=smoke", "model.width=8"], "model.width: 4 there, 8 asked"),
        (["show", "outputs/smoke", "0123"], "TRIAL '0123': no trial begins so in outputs/smoke"),
        (["train", "--from", "outputs/smoke/trials/0123456789ab"], "is no trial of this study"),
        (["report", "outputs/smoke"], "no trial has ended yet"),
        (["export", "outputs/smoke"], "--cell is needed, there are several: known are relu,3, sigmoid,3"),
        (["export", "outputs/smoke", "--cell", "relu"], "--cell relu: no such cell; known are relu,3, sigmoid,3"),
        (["analyze", "nowhere.csv", "--out", "outputs/smoke"], "is the folder of a study"),
    ],
)
def test_a_study_that_is_there_is_left_as_it_is(
    words: list[str],
    message: str,
    compose: Callable[..., StudyConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = StudyFolder(Path("outputs/smoke"))
    folder.write_config(compose("experiment=smoke"))
    folder.ledger.touch()
    before = everything(tmp_path)
    assert run(words) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown
    assert everything(tmp_path) == before


@pytest.mark.parametrize("word", ["model.activation=gelu", "optimizer.lr=0.1"])
def test_train_alone_takes_a_single_value_of_what_is_swept(word: str, compose: Callable[..., StudyConfig]) -> None:
    config = compose("experiment=smoke", word)  # composes as `train` does
    assert word in (f"model.activation={config.model.activation}", f"optimizer.lr={config.optimizer.lr}")


def test_they_are_many_and_none_comes_twice() -> None:
    assert len({" ".join(words) for words, _ in BAD}) == len(BAD) >= 40
