"""How much of the statistics and of the records their unit tests run: nearly every line, nearly every branch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LEAST = 98.0  # per cent, of lines and of branches
SOURCE = "actsweep.curves,actsweep.compare,actsweep.analysis,actsweep.study,actsweep.records"
WORDS = ["-n", "0", "-m", "not slow", "-p", "no:cacheprovider"]
PACKAGES = {"curves": ["curves/"], "compare": ["compare/", "analysis.py"], "study": ["study/"], "records": ["records/"]}
TESTS = [
    *("compare", "records", "curves", "study", "test_analysis.py", "studies/test_results.py"),
    *("method/test_decisions.py", "method/test_naive_mistakes.py"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was run of each file, as `coverage json` tells it, by its path within the package."""
    place = tmp_path_factory.mktemp("coverage")
    environment = os.environ | {"COVERAGE_FILE": str(place / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"HYPOTHESIS_STORAGE_DIRECTORY": str(place / "hypothesis")}

    def python(*words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stdout + done.stderr

    tests = [str(ROOT / "tests" / "unit" / name) for name in TESTS]
    python(
        "coverage", "run", "--branch", f"--source={SOURCE}", "-m", "pytest", *WORDS, f"--basetemp={place / 't'}", *tests
    )
    python("coverage", "json", "-q", "-o", str(place / "coverage.json"))
    found = json.loads((place / "coverage.json").read_text())["files"]
    return {name.rpartition("actsweep/")[2]: file for name, file in found.items()}


@pytest.mark.slow
@pytest.mark.timeout(1000)
@pytest.mark.parametrize("package", PACKAGES)
def test_nearly_every_line_and_branch_is_run_by_a_unit_test(files: dict[str, Any], package: str) -> None:
    within = {name: file for name, file in files.items() if name.startswith(tuple(PACKAGES[package]))}
    assert within
    for kind in ("lines", "branches"):
        many, done = ("num_statements", "covered_lines") if kind == "lines" else ("num_branches", "covered_branches")
        total, covered = (sum(file["summary"][name] for file in within.values()) for name in (many, done))
        missing = {name: file[f"missing_{kind}"] for name, file in within.items() if file[f"missing_{kind}"]}
        assert 100 * covered / total >= LEAST, (kind, missing)
