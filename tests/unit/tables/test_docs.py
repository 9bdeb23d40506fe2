"""The page for users says what the code does."""

import re
from pathlib import Path

from actsweep.curves import GRAD_NORMS
from actsweep.tables import analyze
from actsweep.tables.convert import FORMATS
from actsweep.tables.schema import KNOWN

PAGE = (Path(__file__).parents[3] / "docs" / "curves.md").read_text()


def test_its_example_is_analysed(tmp_path: Path) -> None:
    (example,) = re.findall(r"```\n(trial_id,.*?)```", PAGE, re.DOTALL)
    (tmp_path / "example.csv").write_text(example)
    results = analyze(tmp_path / "example.csv")
    assert results["study"]["arms"] == ["relu", "sigmoid"]
    assert results["study"]["warnings"] == []


def test_it_names_every_column_and_format() -> None:
    assert not [name for name in KNOWN if name not in GRAD_NORMS[1:] and f"`{name}`" not in PAGE]
    assert not [name for name in FORMATS[1:] if f"`--from {name} " not in PAGE]
