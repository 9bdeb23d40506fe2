"""Whatever names a module or a file of ours names one that is there, also where nothing runs it."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SCRIPTS = [path for folder in ("bench", "scripts", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
FILE = re.compile(r"`((?:tests|src|bench|scripts|conf|docker|docs)/[\w./-]+\.\w+)`")
EXAMPLES = {"conf/search/halton.yaml", "src/actsweep/report/figures/costs.py"}  # to be written
EXAMPLES |= {"tests/unit/report/figures/test_costs.py"}


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Every name that a file takes from a module of ours, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "actsweep":
            yield from ((str(node.module), alias.name) for alias in node.names)


def is_there(module: str, name: str) -> bool:
    if hasattr(importlib.import_module(module), name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_is_there(path: Path) -> None:
    assert [f"{module}.{name}" for module, name in imported(path) if not is_there(module, name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(FILE.findall(page.read_text())) - EXAMPLES
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
