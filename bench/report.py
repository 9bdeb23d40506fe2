"""What a large report takes: CPU-seconds and memory to build it, its size, and how soon a browser shows it.

The studies are simulated; the command, the files and the browser are real.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.browser import shown_seconds
from bench.memory import peak_mib
from bench.simulated import write_study

STUDIES = {
    "full study": ("experiment=relu_vs_sigmoid",),
    "10,000 trials": (
        *("experiment=relu_vs_sigmoid", "run.name=many", "study.tune.blocks=50", "study.tune.points=30"),
        *("study.replicate.seeds=4", "trainer.epochs=30", "study.max_trials=20000"),
    ),
}


def run() -> dict[str, Any]:
    """Figures of `actsweep report` and of its page, by study."""
    figures: dict[str, Any] = {}
    for name, words in STUDIES.items():
        with tempfile.TemporaryDirectory() as place:
            folder = write_study(Path(place), *words)
            figures |= {f"{name}: {key}": value for key, value in _measured(folder.path).items()}
    return figures


def _measured(folder: Path) -> dict[str, Any]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "actsweep", "report", str(folder)], stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_mib(process.pid))
        time.sleep(0.05)
    assert process.returncode == 0
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    page = folder / "report.html"
    return {
        "trials": sum(b'"event":"trial_started"' in line for line in (folder / "ledger.jsonl").open("rb")),
        "actsweep report, CPU s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "actsweep report, wall s": wall,
        "peak MiB": peak,
        "report.html, MB": page.stat().st_size / 1e6,
        "results.json, MB": (folder / "results.json").stat().st_size / 1e6,
        "s until Chromium has drawn all figures": shown_seconds(page),
    }
