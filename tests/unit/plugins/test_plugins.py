"""Names that plugins register, and the modules whose import registers them."""

import importlib
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import actsweep
from actsweep.curves import AVERAGED, LISTED, Curve, measure_curve
from actsweep.errors import RequestError
from actsweep.plugins import MEASURES, Registry, load_plugins, plugin_environment, reason
from actsweep.plugins.activations import ACTIVATIONS
from actsweep.settings import ModelSettings, TrialConfig, validated

Write = Callable[[str, str], Path]
MODEL = {"name": "cnn", "activation": "relu", "depth": 3, "width": 8, "init": "he", "norm": "none", "dropout": 0.0}
OURS = "import actsweep\nactsweep.register_measure('{name}')(lambda curve: 1.0)\n"


# What may be registered.


def test_what_is_registered_is_known_by_its_name() -> None:
    registry: Registry[Any] = Registry("model", ["cnn"])
    assert registry.adding("mlp", "here.py")(len) is len
    assert registry.names == ["cnn", "mlp"]
    assert registry.added == {"mlp": len}


@pytest.mark.parametrize("name", ["", "2d", "a b", "a/b", "../a", "a.b", "a-b", "_a", "é", "a" * 51, "a\n", None, 3])
def test_a_name_is_a_plain_word(name: Any) -> None:
    with pytest.raises(RequestError, match=r"^the model .* of here.py has no plain name: a letter, then letters"):
        Registry("model", []).add(name, len, "here.py")


def test_a_name_of_the_package_is_not_taken() -> None:
    with pytest.raises(RequestError, match=r"^the model 'cnn' is actsweep's own: here.py must choose another name$"):
        Registry("model", ["cnn"]).add("cnn", len, "here.py")


def test_a_name_is_registered_by_one_plugin() -> None:
    registry: Registry[Any] = Registry("model", [])
    registry.add("mlp", len, "here.py")
    with pytest.raises(RequestError, match=r"^the model 'mlp' is registered twice: by here.py and by there.py$"):
        registry.add("mlp", max, "there.py")
    assert registry.added == {"mlp": len}


def test_the_same_place_may_register_again_and_the_last_counts() -> None:
    registry: Registry[Any] = Registry("model", [])
    registry.add("mlp", len, "here.py")
    registry.add("mlp", max, "here.py")
    assert registry.added == {"mlp": max}


@pytest.mark.usefixtures("clean_registries")
@pytest.mark.parametrize("kind", ["activation", "data", "measure", "model", "optimizer"])
def test_only_what_can_be_called_is_registered(kind: str) -> None:
    with pytest.raises(RequestError, match=r"'thing' needs a function or a class, not 3$"):
        getattr(actsweep, f"register_{kind}")("thing")(3)


@pytest.mark.usefixtures("clean_registries")
@pytest.mark.parametrize("largest", [0.0, -1.0, math.inf, math.nan])
def test_a_largest_derivative_is_a_positive_number(largest: float) -> None:
    with pytest.raises(RequestError, match=r"'steep': largest_derivative must be a finite number above 0"):
        actsweep.register_activation("steep", bounded=True, largest_derivative=largest)


@pytest.mark.usefixtures("clean_registries")
def test_an_activation_is_declared_with_what_the_probes_need() -> None:
    actsweep.register_activation("steep", bounded=True, rectifier=True, largest_derivative=2.0)(len)
    steep = ACTIVATIONS["steep"]
    assert (steep.bounded, steep.rectifier, steep.largest_derivative) == (True, True, 2.0)
    assert list(ACTIVATIONS)[-1] == "steep"


def test_no_measure_takes_a_name_of_the_results() -> None:
    curve = Curve.from_rows([{"epoch": 0, "val_acc": 0.1}, {"epoch": 1, "val_acc": 0.2}])
    ours = {*LISTED, *AVERAGED, *measure_curve(curve, 1, 10, hi=0.1, lo=0.1)}
    assert ours <= set(MEASURES.built_in)


# Loading.


def test_a_module_in_the_working_folder_is_imported_once(write_plugin: Write) -> None:
    write_plugin("counted", "import sys\nsys.counted = getattr(sys, 'counted', 0) + 1\n" + OURS.format(name="counted"))
    load_plugins(["counted"])
    load_plugins(["counted"])
    assert sys.counted == 1  # type: ignore[attr-defined]
    assert "counted" in MEASURES.added


def test_an_installed_module_comes_before_one_in_the_working_folder(write_plugin: Write) -> None:
    write_plugin("json", OURS.format(name="not_that_json"))
    load_plugins(["json"])
    assert "not_that_json" not in MEASURES.added


def test_a_module_may_be_part_of_a_package(write_plugin: Write, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "inner.py").write_text(OURS.format(name="inner"))
    load_plugins(["parts.inner"])
    assert "inner" in MEASURES.added
    assert list(plugin_environment().values()) == [str(tmp_path)]


def test_a_module_imported_anew_registers_again(write_plugin: Write) -> None:
    path = write_plugin("twice", OURS.format(name="twice"))
    load_plugins(["twice"])
    first = MEASURES.added["twice"]
    path.write_text(path.read_text().replace("1.0", "2.0"))
    importlib.reload(sys.modules["twice"])
    assert MEASURES.added["twice"] is not first


def test_two_modules_with_one_name_are_both_named(write_plugin: Write, tmp_path: Path) -> None:
    write_plugin("one", OURS.format(name="same"))
    write_plugin("other", OURS.format(name="same"))
    with pytest.raises(RequestError) as refusal:
        load_plugins(["one", "other"])
    assert str(refusal.value) == (
        "plugins: other cannot be imported: the measure 'same' is registered twice: "
        f"by {tmp_path / 'one.py'} and by {tmp_path / 'other.py'}"
    )


def test_an_error_without_a_place_has_none_in_its_reason() -> None:
    assert reason(SyntaxError("source code string cannot contain null bytes")).endswith("null bytes")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero ({path}, line 2)"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name' ({path}, line 2)"),
        ("def f(:", "SyntaxError: invalid syntax ({path}, line 2)"),
        ("raise SystemExit(3)", "SystemExit: 3 ({path}, line 2)"),
        ("raise ValueError('two\\n  lines')", "ValueError: two lines ({path}, line 2)"),
    ],
)
def test_a_module_that_fails_is_named_with_the_reason_and_the_place(
    write_plugin: Write, code: str, message: str
) -> None:
    path = write_plugin("broken", f"import actsweep\n{code}\n")
    with pytest.raises(RequestError) as refusal:
        load_plugins(["broken"])
    assert str(refusal.value) == "plugins: broken cannot be imported: " + message.format(path=path)


@pytest.mark.parametrize("name", ["not_here", "not_here.part", "here.not_there"])
def test_a_module_that_is_nowhere_is_named_with_where_it_was_looked_for(
    write_plugin: Write, tmp_path: Path, name: str
) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(
        RequestError, match=r"^plugins: there is no module 'n?\w+[.\w]*' on Python's path, in the"
    ) as no:
        load_plugins([name])
    assert str(tmp_path) in str(no.value)
    assert "\n" not in str(no.value)


def test_another_process_finds_the_modules_that_were_imported_here(write_plugin: Write, home: Path) -> None:
    write_plugin("found", OURS.format(name="found"))
    load_plugins(["found"])
    code = "from actsweep.plugins import *; load_plugins(['found']); print(*MEASURES.added)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env={**os.environ, **plugin_environment()},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["found"], done.stderr


def installed(folder: Path, name: str, code: str) -> dict[str, str]:
    """A tiny installed package with one entry point, and the environment that finds it."""
    (folder / f"{name}.py").write_text(dedent(code))
    (folder / f"{name}-1.0.dist-info").mkdir()
    (folder / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(f"[actsweep.plugins]\nmine = {name}\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *os.environ.get("PYTHONPATH", "").split(":")])}


def check_model(environment: dict[str, str], activation: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    tree = {"plugins": [], "model": {**MODEL, "activation": activation}}
    code = f"""
        from actsweep.errors import RequestError
        from actsweep.settings import TrialConfig, validated
        try:
            validated(TrialConfig, {tree!r})
        except RequestError as error:
            print(error)
        import sys
        assert "torch" not in sys.modules
    """
    return subprocess.run(
        [sys.executable, "-c", dedent(code)], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_an_installed_package_declares_its_plugins(tmp_path: Path) -> None:
    code = "import actsweep\nactsweep.register_activation('entered')(len)\n"
    environment = installed(tmp_path, "some_package", code)
    assert "model.activation" not in check_model(environment, "entered", tmp_path).stdout
    assert "unknown activation 'entred'" in check_model(environment, "entred", tmp_path).stdout


def test_an_installed_package_that_fails_is_named(tmp_path: Path) -> None:
    done = check_model(installed(tmp_path, "some_package", "1 / 0"), "relu", tmp_path)
    place = tmp_path / "some_package.py"
    assert done.stdout == (
        "the plugin mine of the installed package some_package: "
        f"ZeroDivisionError: division by zero ({place}, line 1)\n"
    )


# Settings.


def test_names_of_plugins_are_accepted_where_they_are_listed(write_plugin: Write) -> None:
    write_plugin(
        "mine",
        """
        import actsweep
        actsweep.register_activation("swash")(len)
        actsweep.register_model("mlp")(len)
        """,
    )
    with pytest.raises(RequestError, match=r"unknown activation 'swash'; known are elu, gelu"):
        validated(ModelSettings, {**MODEL, "activation": "swash"})
    with pytest.raises(RequestError) as rest:
        validated(TrialConfig, {"plugins": ["mine"], "model": {**MODEL, "name": "mlp", "activation": "swash"}})
    assert "model" not in str(rest.value)


@pytest.mark.parametrize("name", ["./mine.py", "mine.py/", "a b", "", "-mine", "..mine", "os;"])
def test_a_plugin_is_listed_as_a_module(name: str) -> None:
    with pytest.raises(RequestError, match=r"(?m)^plugins.0: .* is no name of a module, such as my_module"):
        validated(TrialConfig, {"plugins": [name]})


def test_plugins_are_a_list() -> None:
    with pytest.raises(RequestError, match=r"(?m)^plugins: takes a list, written plugins=\[mine\]"):
        validated(TrialConfig, {"plugins": "mine"})


def test_a_module_that_is_missing_is_all_that_is_said(write_plugin: Write) -> None:
    with pytest.raises(RequestError) as refusal:
        validated(TrialConfig, {"plugins": ["nowhere"], "model": {**MODEL, "activation": "of_nowhere"}})
    assert str(refusal.value).startswith("plugins: there is no module 'nowhere'")
    assert "of_nowhere" not in str(refusal.value)


def test_options_are_for_plugins(write_plugin: Write) -> None:
    write_plugin("mine", "import actsweep\nactsweep.register_model('mlp')(len)\n")
    load_plugins(["mine"])
    options = {"alpha": 1, "beta": 0.5, "gamma": "x", "delta": None, "epsilon": True}
    settings = validated(ModelSettings, {**MODEL, "name": "mlp", "options": options})
    assert settings.model_dump(mode="json")["options"] == options
    assert validated(ModelSettings, settings.model_dump()) == settings
    assert hash(settings) == hash(validated(ModelSettings, settings.model_dump()))
    with pytest.raises(RequestError) as refusal:
        validated(ModelSettings, {**MODEL, "options": options})
    assert str(refusal.value) == (
        "model.options: alpha, beta, gamma, delta, epsilon would have no effect: only a model of a plugin has options, "
        "and model.name=cnn is actsweep's own"
    )


@pytest.mark.parametrize("value", [[1], {"a": 1}, math.nan, 1j])
def test_options_are_plain_values(value: object) -> None:
    with pytest.raises(
        RequestError, match=r"^options.alpha: .* is no plain value \(text, number, true, false or null\)$"
    ):
        validated(ModelSettings, {**MODEL, "options": {"alpha": value}})


@pytest.mark.usefixtures("clean_registries")
def test_options_are_swept_like_any_setting(compose: Callable[..., Any]) -> None:
    actsweep.register_model("mlp")(len)
    config = compose("experiment=smoke", "model.name=mlp", "+model.options.alpha=1")
    assert config.trial({}, 0).model.options == {"alpha": 1}
    assert config.trial({"model.options.alpha": 2, "model.options.beta": 3}, 0).model.options == {"alpha": 2, "beta": 3}
    with pytest.raises(RequestError, match=r"cannot sweep 'model.options': no such setting"):
        config.trial({"model.options": 2}, 0)
    with pytest.raises(RequestError, match=r"cannot sweep 'model.options.alpha.beta': no such setting"):
        config.trial({"model.options.alpha.beta": 2}, 0)
