"""The same study in fp32 and in bf16, on CIFAR-10 as JPEGs: how its cells rank, its estimates and its verdicts."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import cifar

PRECISIONS = ("fp32", "bf16")
ENDPOINTS = ("r_seconds_hi", "r_steps_hi", "d_test_acc", "d_gap_end")


def run(*words: str) -> dict[str, Any]:
    """Ranking by median best validation accuracy, some estimates and all verdicts, and whether they are equal."""
    found = {precision: _results(precision, words) for precision in PRECISIONS}
    figures: dict[str, Any] = {}
    for what, read in (("ranking", _ranking), ("verdicts", _verdicts)):
        both = {precision: read(results) for precision, results in found.items()}
        figures |= {f"{what} in {precision}": json.dumps(value) for precision, value in both.items()}
        figures[f"{what}: equal"] = both["fp32"] == both["bf16"]
    for endpoint in ENDPOINTS:
        for precision, results in found.items():
            figures[f"{endpoint} in {precision}"] = _estimate(results, endpoint)
    return figures


def _results(precision: str, words: tuple[str, ...]) -> Any:
    with tempfile.TemporaryDirectory() as place:
        asked = ("experiment=cifar10_small", "tracker=none", f"trainer.precision={precision}", *words)
        where = (f"data.root={cifar.folder()}", f"run.root={place}", "run.name=study")
        command = [sys.executable, "-m", "actsweep", "sweep", *asked, *where]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads((Path(place) / "study" / "results.json").read_text())


def _ranking(results: Any) -> list[str]:
    cells = sorted(results["cells"], key=lambda cell: -(cell["best_val_acc_median"] or 0))
    return [f"{cell['activation']}, depth {cell['depth']}" for cell in cells]


def _verdicts(results: Any) -> dict[str, str]:
    return {row["claim"]: row["verdict"] for row in results["verdicts"]}


def _estimate(results: Any, endpoint: str) -> str:
    row = next(row for row in results["comparisons"] if row["endpoint"] == endpoint)
    if row["estimate"] is None:
        return "none"
    return f"{row['estimate']:.4g} ({row['low']:.4g} to {row['high']:.4g})"
