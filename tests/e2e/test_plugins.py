"""The examples of docs/plugins.md in whole commands, and what users do wrong with plugins."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from actsweep.records import read_ledger

Command = Callable[..., subprocess.CompletedProcess[str]]
PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
MODULES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, flags=re.DOTALL))


@dataclass(frozen=True)
class Sweep:
    """A finished sweep of the page's command: where it was called, what it printed, and its results."""

    place: Path
    done: subprocess.CompletedProcess[str]

    @property
    def folder(self) -> Path:
        return self.place / "outputs" / "smoke"

    @property
    def results(self) -> Any:
        return json.loads((self.folder / "results.json").read_text())


def words_of_the_page(beginning: str) -> list[str]:
    """The words of the first command on the page that begins so."""
    command = PAGE[PAGE.index(beginning) :].partition("```")[0]
    return shlex.split(command)[1:]


def write_modules(folder: Path) -> None:
    for name, code in MODULES.items():
        (folder / f"{name}.py").write_text(code)


@pytest.fixture(scope="module")
def swept(actsweep: Command, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    place = tmp_path_factory.mktemp("a place")
    write_modules(place)
    words = words_of_the_page("actsweep sweep experiment=smoke plugins=")
    return Sweep(place, actsweep(*words, "tracker=none", cwd=place))


def test_a_study_of_plugins_alone_ends_well(swept: Sweep) -> None:
    assert swept.done.returncode == 0, swept.done.stderr
    assert swept.done.stderr == ""
    results = swept.results
    assert results["study"]["arms"] == ["relu", "softsign"]
    assert results["study"]["data"]["label"] == "stripes"
    assert results["study"]["classes"] == 4
    assert results["study"]["trials"] == results["study"]["trials"] | {"tune": 4, "replicate": 4, "failed": 0}
    assert all(row["status"] == "completed" for row in results["trials"])


def test_its_examples_learn_their_stripes(swept: Sweep) -> None:
    assert max(cell["test_acc_mean"] for cell in swept.results["cells"]) > 0.5


def test_a_measure_is_in_the_results(swept: Sweep) -> None:
    import numpy as np
    import pandas as pd

    results = swept.results
    curves = pd.read_parquet(swept.folder / "curves.parquet")
    for row in results["trials"]:
        accuracies = curves[curves.trial_id == row["trial_id"]].sort_values("epoch").val_acc
        assert row["largest_step"] == pytest.approx(np.diff(accuracies).max())
    for cell in results["cells"]:
        own = [
            row["largest_step"]
            for row in results["trials"]
            if row["phase"] == "replicate" and row["activation"] == cell["activation"]
        ]
        assert cell["largest_step_mean"] == pytest.approx(np.mean(own))


def test_a_bounded_activation_is_probed_for_saturation_and_relu_for_death(swept: Sweep) -> None:
    for row in swept.results["trials"]:
        bounded = row["activation"] == "softsign"
        assert (row["saturated"] is not None, row["dead"] is not None) == (bounded, not bounded)


def test_the_records_list_the_plugins_and_no_folder(swept: Sweep) -> None:
    listed = ["my_activation", "my_model", "my_data", "my_optimizer", "my_measure"]
    trials = list((swept.folder / "trials").glob("*/trial.yaml"))
    assert len(trials) == 8
    for file in (swept.folder / "study.yaml", *trials):
        assert yaml.safe_load(file.read_text())["plugins"] == listed


def test_report_and_resume_know_the_plugins(actsweep: Command, swept: Sweep) -> None:
    before = {name: (swept.folder / name).read_bytes() for name in ("results.json", "ledger.jsonl")}
    (swept.folder / "results.json").unlink()
    for command in ("report", "resume"):
        done = actsweep(command, "outputs/smoke", cwd=swept.place)
        assert done.returncode == 0, done.stderr
        assert {name: (swept.folder / name).read_bytes() for name in before} == before


def test_a_trial_of_plugins_can_be_repeated(actsweep: Command, swept: Sweep) -> None:
    trial = next(row for row in swept.results["trials"] if row["activation"] == "softsign")
    done = actsweep("train", "--from", f"outputs/smoke/trials/{trial['trial_id']}", cwd=swept.place)
    assert done.returncode == 0, done.stderr + done.stdout


def test_a_report_from_elsewhere_says_what_it_needs(
    actsweep: Command, swept: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = actsweep("report", str(swept.folder), cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "actsweep: plugins: there is no module 'my_activation' on Python's path, in the working folder "
        f"{tmp_path} or in the folders of $ACTSWEEP_PLUGIN_PATH; start from the folder that holds it, or install it, "
        "on every machine that trains\n"
    )
    monkeypatch.setenv("ACTSWEEP_PLUGIN_PATH", str(swept.place))
    assert actsweep("report", str(swept.folder), cwd=tmp_path).returncode == 0


def test_its_curves_are_analysed_like_any(actsweep: Command, swept: Sweep, tmp_path: Path) -> None:
    done = actsweep("analyze", str(swept.folder / "curves.parquet"), "--classes", "4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "analysis" / "results.json").read_text())
    assert again["verdicts"] == swept.results["verdicts"]


FRAGILE = """
import actsweep
from pathlib import Path
from torch import nn

@actsweep.register_activation("fragile")
def fragile():
    if Path({flag!r}).exists():
        raise RuntimeError("not today")
    return nn.Tanh()
"""


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_plugin_that_raises_fails_its_trials_and_no_other(actsweep: Command, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    (tmp_path / "fragile_module.py").write_text(FRAGILE.format(flag=str(flag)))
    flag.touch()
    words = ("experiment=smoke", "tracker=none", "plugins=[fragile_module]")
    failed = actsweep("sweep", *words, "study.scientific.model.activation=[relu,fragile]", cwd=tmp_path)
    assert failed.returncode == 1, failed.stderr
    assert failed.stderr == (
        "actsweep: outputs/smoke: every trial of fragile has failed, so there is nothing to compare; the first with: "
        "RuntimeError: not today; once that is mended: actsweep resume outputs/smoke\n"
    )
    record = read_ledger(tmp_path / "outputs" / "smoke" / "ledger.jsonl").fold()
    completed = [trial.started for trial in record.trials.values() if trial.status == "completed"]
    assert [(start.cell["model.activation"], start.phase) for start in completed].count(("relu", "replicate")) == 2
    flag.unlink()
    resumed = actsweep("resume", str(tmp_path / "outputs" / "smoke"), cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    results = json.loads((tmp_path / "outputs" / "smoke" / "results.json").read_text())
    assert [cell["n"] for cell in results["cells"]] == [2, 2]
    assert results["study"]["failures"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plugins=[my_activatoin]"], "plugins: there is no module 'my_activatoin' on Python's path"),
        (["plugins=[my_activation.py]"], "a module is named without .py: plugins=[my_activation]"),
        (["plugins=[./my_activation]"], "plugins.0: './my_activation' is no name of a module"),
        (["plugins=my_activation"], "plugins: takes a list, written plugins=[my_activation]"),
        (["plugins=[broken]"], "plugins: broken cannot be imported: ZeroDivisionError: division by zero ("),
        (["plugins=[thief]"], "plugins: thief cannot be imported: the activation 'relu' is actsweep's own"),
        (["plugins=[my_activation]", "model.name=mpl"], "model.name: unknown model 'mpl'; known are cnn"),
        (["plugins=[my_model]", "model.name=mpl"], "unknown model 'mpl'; known are cnn, mlp; did you mean 'mlp'?"),
        (["optimizer.name=rmsprop"], "optimizer.name: unknown optimizer 'rmsprop'; known are adam, adamw, sgd"),
        (["data.name=digit"], "data.name: unknown data set 'digit'; known are cifar10, digits, image_folder; did you"),
        (["+model.options.alpha=1"], "model.options: alpha would have no effect: only a model of a plugin has options"),
        (["+optimizer.options.alpha=1"], "optimizer.options: alpha would have no effect"),
        (["+data.options.alpha=1"], "data.options: alpha would have no effect"),
        (
            ["plugins=[my_activation]", "study.scientific.model.activation=[relu,swish]"],
            "unknown activation 'swish'; known are elu, gelu, leaky_relu, mish, relu, sigmoid, silu, softsign, swish2",
        ),
    ],
)
def test_what_is_refused_is_named_in_one_message(
    actsweep: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    write_modules(tmp_path)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "thief.py").write_text("import actsweep\nactsweep.register_activation('relu')(len)\n")
    refused = actsweep("sweep", "experiment=smoke", *words, cwd=tmp_path)
    assert refused.returncode == 2, refused.stdout
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_images_of_a_lightning_module_are_trained_on(actsweep: Command, tmp_path: Path) -> None:
    write_modules(tmp_path)
    done = actsweep("train", "experiment=smoke", "plugins=[my_module]", "data.name=fakes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "completed; test accuracy" in done.stdout


@pytest.mark.slow
def test_an_installed_package_brings_its_plugins_to_the_workers(
    actsweep: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    facts = library / "brought-1.0.dist-info"
    facts.mkdir(parents=True)
    (library / "brought.py").write_text(MODULES["my_activation"])
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[actsweep.plugins]\nswish = brought\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(library), os.environ.get("PYTHONPATH", "")]))
    words = ("experiment=smoke", "tracker=none", "study.scientific.model.activation=[swish2,softsign]")
    done = actsweep("sweep", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "outputs" / "smoke" / "results.json").read_text())
    assert results["study"]["arms"] == ["swish2", "softsign"]
