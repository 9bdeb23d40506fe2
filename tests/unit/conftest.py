"""What plugins leave behind in a process, undone after each test that asks for one."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from actsweep.plugins import DATA_SETS, MEASURES, MODELS, OPTIMIZERS, loading
from actsweep.plugins.activations import ACTIVATION_NAMES

REGISTRIES = (ACTIVATION_NAMES, DATA_SETS, MEASURES, MODELS, OPTIMIZERS)


@pytest.fixture
def clean_registries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Registries and imported modules as they were, after the test."""
    kept = [(inside, dict(inside)) for registry in REGISTRIES for inside in (registry._added, registry._origins)]
    kept.append((loading._imported, dict(loading._imported)))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for inside, before in kept:
        inside.clear()
        inside.update(before)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write_plugin(clean_registries: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Write a module into the working folder, which is the test's own."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, code: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(dedent(code))
        importlib.invalidate_caches()
        return path

    return write
