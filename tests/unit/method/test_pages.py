"""The pages that say what results hold name all of it."""

import json
import re
from pathlib import Path

import pytest

from actsweep.curves import AVERAGED, LISTED

ROOT = Path(__file__).parents[3]
METHOD = (ROOT / "docs" / "method.md").read_text()
FILES = (ROOT / "docs" / "reference" / "files.md").read_text()
RESULTS = json.loads((ROOT / "tests" / "golden" / "curves" / "small.json").read_text())


def of_any_target(name: str) -> str:
    """The name that stands for a measure at both targets, as the pages have it."""
    return re.sub(r"_(hi|lo)$", "", name)


def row(kind: str) -> str:
    """The line of the page of files on the rows of one kind."""
    return next(line for line in FILES.splitlines() if line.startswith(f"| `{kind}` |"))


@pytest.mark.parametrize("measure", LISTED)
def test_a_measure_of_a_trial_is_defined_and_listed(measure: str) -> None:
    assert f"`{re.sub('^(steps|seconds)_', 'epochs_', of_any_target(measure))}`" in METHOD
    assert f"`{of_any_target(measure)}`" in row("trials")


@pytest.mark.parametrize("measure", AVERAGED)
def test_a_mean_over_a_cell_is_listed(measure: str) -> None:
    assert f"`{measure}_mean`" in row("cells")


@pytest.mark.parametrize("kind", ["targets", "trials", "cells", "comparisons", "verdicts"])
def test_every_key_of_a_row_is_listed(kind: str) -> None:
    keys = {key for entry in RESULTS[kind] for key in entry}
    without_ends = {re.sub(r"_(low|high)$", "", key) for key in keys}
    names = {re.sub(r"^(rmst|ert)_.*", r"\1_...", of_any_target(key)) for key in without_ends}
    assert len(names) > 4
    assert sorted(name for name in names if f"`{name}`" not in row(kind)) == []
