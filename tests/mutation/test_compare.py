"""At least nine of ten small mistakes in `actsweep.compare` and `actsweep.analysis` are noticed by a unit test.

All mutants are tried, not a sample: about 1,100, in about a quarter of an hour on two cores. Neither mutmut 3 nor
cosmic-ray does this here. mutmut leaves alone what stands outside functions and in decorated ones: thresholds,
the table of claims, and every property of a condition, which is where verdicts are made. cosmic-ray changes the sources
in place, where a killed run leaves a mistake behind, and starts pytest anew for each mutant, whose start alone takes
several times as long here as the tests that notice.

equivalent.txt lists the mutants that no test can notice, each with the reason.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mutation.mutants import mutants_of
from mutation.worker import ROOT, all_mutants

EQUIVALENT = Path(__file__).with_name("equivalent.txt")
LEAST = 0.9  # of the mutants that can be noticed
MOST_EQUIVALENT = 0.03  # of all


def equivalent() -> dict[str, str]:
    """Reasons by the mutant's name, from lines of two: the name, then, indented, the reason."""
    lines = EQUIVALENT.read_text().splitlines()
    return {name: reason.strip() for name, reason in zip(lines[::2], lines[1::2], strict=True)}


def test_mutants_are_small_mistakes() -> None:
    body = '"""0 or 1."""\n    if x < 1 and not x:\n        return x + 2\n    return max(x, 3)\n'
    source = f"def f(x: int) -> int:\n    {body}"
    assert [f"{mutant.before} -> {mutant.after}" for mutant in mutants_of("m", source)] == [
        "if x < 1 and (not x): -> if not (x < 1 and (not x)):",
        "if x < 1 and (not x): | x < 1 and (not x) -> x < 1 or not x",
        "if x < 1 and (not x): | x < 1 -> x <= 1",
        "if x < 1 and (not x): | x < 1 -> x >= 1",
        "if x < 1 and (not x): | 1 -> 2",
        "if x < 1 and (not x): | not x -> x",
        "return x + 2 -> return None",
        "return x + 2 | x + 2 -> x - 2",
        "return x + 2 | 2 -> 3",
        "return max(x, 3) -> return None",
        "return max(x, 3) | max -> min",
        "return max(x, 3) | 3 -> 4",
    ]
    assert all(compile(mutant.tree(source), "m", "exec") for mutant in mutants_of("m", source))


def test_those_that_cannot_be_noticed_are_few_and_there() -> None:
    names = {mutant.name for mutant in all_mutants()}
    assert set(equivalent()) <= names
    assert all(equivalent().values())
    assert len(equivalent()) <= MOST_EQUIVALENT * len(names)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nine_of_ten_mutants_are_noticed(tmp_path: Path) -> None:
    mutants = all_mutants()
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    tried = [mutant.name for mutant in mutants if mutant.name not in equivalent()]
    (tmp_path / "choice").write_text("\n".join(tried))
    paths = [str(ROOT / "src"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    environment |= {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    words = [str(tmp_path / "choice"), str(tmp_path / "out"), "2"]
    done = subprocess.run(
        [sys.executable, "-m", "mutation.worker", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert len(results) == len(tried)
    survivors = sorted(result["name"] for result in results if result["survived"])
    by_module = Counter(name.partition(":")[0] for name in survivors)
    assert len(survivors) <= (1 - LEAST) * len(results), "\n".join([str(by_module), *survivors])
