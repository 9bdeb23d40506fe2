"""A study's files with all that depends on the clock taken out, for comparing two runs."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CLOCK = ("seconds", "wall", "step_ms")
TIMES = ("seconds", "step_ms")


def curves(folder: Path) -> pa.Table:
    """The table of curves without its columns of times."""
    return pq.read_table(folder / "curves.parquet").drop_columns(list(CLOCK))


def results(folder: Path) -> Any:
    """The results without every number that comes from a time."""
    return _without_times(json.loads((folder / "results.json").read_text()))


def _without_times(tree: Any) -> Any:
    if isinstance(tree, dict):
        if tree.get("endpoint", "").startswith(("r_seconds", "r_cost")) or tree.get("claim") in ("C1a", "C1b", "C3b"):
            return {key: tree[key] for key in ("endpoint", "claim", "a", "b") if key in tree}
        return {key: _without_times(value) for key, value in tree.items() if not any(word in key for word in TIMES)}
    if isinstance(tree, list):
        return [_without_times(item) for item in tree]
    return tree
