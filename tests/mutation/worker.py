"""Runs the unit tests of `actsweep.compare` once for each mutant: `python -m mutation.worker CHOICE OUT [PROCESSES]`.

CHOICE is a file with the names of the mutants to try, one a line; OUT gets one line of JSON for each. A mutant is tried
in a fork of this process, which has loaded what is expensive to load and nothing that is mutated: there the mutated
module is made in memory, so that no file is touched, and pytest runs up to the first failure, first on the tests of
that module, then on the others.
"""

import ast
import importlib.abc
import importlib.util
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
COMPARE = ROOT / "src" / "actsweep" / "compare"
UNIT = ROOT / "tests" / "unit"
MUTATED = ("actsweep.compare", "actsweep.analysis")
# Simulations, which tell little that the others do not, and take longer than all of them together.
SLOW = ("TestCoverage", "as_often_as_they_say", "the_advised_number", "TestTruth", "ten_thousand_trials")
SECONDS = 60  # of processor time that a mutant may take: several times what all tests take
METHOD = UNIT / "method"
WHOLE = (UNIT / "compare", UNIT / "test_analysis.py", METHOD / "test_decisions.py", METHOD / "test_naive_mistakes.py")
TESTS_OF = {
    "claims": ["compare/judging/test_claims.py", "compare/judging/test_verdicts.py"],
    "table": ["compare/trials/test_preparation.py"],
    "verdicts": ["compare/judging/test_verdicts.py", "compare/test_sentences.py"],
}
"""The tests most likely to notice a mistake in a module, where they are not those of its name."""


def sources() -> dict[str, str]:
    """The source of each module that is mutated, by its name."""
    files = [path for path in sorted(COMPARE.rglob("*.py")) if path.stem != "__init__"]
    files.append(COMPARE.parent / "analysis.py")
    return {".".join(path.relative_to(ROOT / "src").with_suffix("").parts): path.read_text() for path in files}


def all_mutants() -> list[Mutant]:
    """Every mutant of every module."""
    return [mutant for module, source in sources().items() for mutant in mutants_of(module, source)]


def unchanged() -> list[Mutant]:
    """Of each module one without a mistake, which has to survive."""
    empty = ast.Module([], [])
    return [Mutant(module, "", "", "", 1, ("type_ignores",), empty.type_ignores) for module in sources()]  # type: ignore[arg-type]


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the mutated module where it is imported."""

    def __init__(self, mutant: Mutant, source: str) -> None:
        self._mutant = mutant
        self._tree: ast.Module = mutant.tree(source)

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Its specification, for its name alone."""
        return importlib.util.spec_from_loader(name, self) if name == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code with the mistake in it."""
        exec(compile(self._tree, f"<{self._mutant.module}>", "exec"), module.__dict__)


def tests_of(module: str) -> list[Path]:
    """The tests that are most likely to notice."""
    *rooms, short = module.split(".")[1:]
    named = [UNIT / name for name in TESTS_OF.get(short, ["/".join((*rooms, f"test_{short}.py"))])]
    return [path for path in named if path.exists()]


def run_tests(tests: Sequence[Path], scratch: Path, more: Sequence[str] = ()) -> int:
    """Run tests up to the first failure, silently; pytest's exit code."""
    skipped = f"not ({' or '.join(SLOW)})"
    options = [
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:terminal",
        "-o",
        "addopts=--import-mode=importlib",
        "--hypothesis-seed=0",
    ]
    return int(pytest.main([*options, *more, f"--basetemp={scratch}", "-k", skipped, *map(str, tests)]))


def try_one(mutant: Mutant, source: str, scratch: Path) -> int:
    """In a fork: 0 where no test notices the mutant; none runs twice, which Hypothesis would take for a mistake."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + SECONDS,) * 2)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.meta_path.insert(0, Mutated(mutant, source))
    first = tests_of(mutant.module)
    if first and run_tests(first, scratch):
        return 1
    return run_tests([path for path in WHOLE if path not in first], scratch, [f"--ignore={path}" for path in first])


def load_once(scratch: Path) -> None:
    """Load what tests need, but for what is mutated and what imports that."""
    before = set(sys.modules)
    if run_tests(WHOLE, scratch / "first"):
        raise SystemExit("tests fail on the code as it is")
    for name in set(sys.modules) - before:
        origin = str(getattr(sys.modules[name], "__file__", None) or "")
        if name.startswith(MUTATED) or origin.startswith(str(ROOT / "tests")):
            del sys.modules[name]


def tried(mutants: Sequence[Mutant], processes: int, scratch: Path) -> Iterator[dict[str, object]]:
    """The mutants with whether they survived, as they end."""
    texts, running = sources(), dict[int, tuple[Mutant, float]]()
    waiting = list(reversed(mutants))
    while waiting or running:
        while waiting and len(running) < processes:
            mutant = waiting.pop()
            child = os.fork()
            if child == 0:
                place = scratch / str(os.getpid())
                code = 1
                try:
                    code = try_one(mutant, texts[mutant.module], place)
                finally:
                    shutil.rmtree(place, ignore_errors=True)
                    os._exit(0 if code == 0 else 1)
            running[child] = mutant, time.monotonic()
        child, status, usage = os.wait3(0)
        mutant, began = running.pop(child)
        seconds = {"seconds": round(usage.ru_utime + usage.ru_stime, 2), "wall": round(time.monotonic() - began, 2)}
        yield {"name": mutant.name, "survived": status == 0, **seconds}


def main(choice: str, out: str, processes: str = "1") -> None:
    """Try the mutants that are asked for."""
    names = Path(choice).read_text().splitlines()
    named = {mutant.name: mutant for mutant in all_mutants()}
    mutants = [named[name] for name in names]
    scratch = Path(out).parent
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(scratch / "hypothesis")
    os.chdir(ROOT)
    load_once(scratch)
    if failing := [result["name"] for result in tried(unchanged(), int(processes), scratch) if not result["survived"]]:
        raise SystemExit(f"tests fail on the code as it is: {failing}")
    with Path(out).open("w") as file:
        for result in tried(mutants, int(processes), scratch):
            file.write(json.dumps(result) + "\n")
            file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
