"""The whole analysis of 10,000 trials with 30 evaluations each: CPU-seconds, and the memory it takes at most.

Each design is analysed in a process of its own, whose peak memory is then the analysis's.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.memory import peak_mib

ROOT = Path(__file__).parents[1]
EVALUATIONS = 30
DESIGNS = {"5 arms x 2 depths x 1000": (5, 2, 1000), "20 arms x 25 depths x 20": (20, 25, 20)}
REPEATS = 3


def run() -> dict[str, float | str]:
    """CPU-seconds (median of repeats) and peak MiB for few large cells and for many small ones."""
    figures: dict[str, float | str] = {}
    for name, design in DESIGNS.items():
        measured = subprocess.run(
            [sys.executable, "-m", "bench.analysis_speed", *map(str, design)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},  # whose simulated studies these are
            check=True,
            capture_output=True,
            text=True,
        )
        figures |= {f"{name}: {key}": value for key, value in json.loads(measured.stdout).items()}
    return figures


def measure(arms: int, depths: int, trials: int) -> dict[str, float]:
    """Figures of one design, of a process that does nothing else."""
    import numpy as np

    from simulate import Family, Truth, analyze, draw

    names = ["relu", *(f"arm {i}" for i in range(1, arms))]
    family = Family(dict.fromkeys(names, Truth()), n=trials, horizon=EVALUATIONS - 1, depths=tuple(range(depths)))
    study = draw(family, np.random.default_rng(0))
    before, seconds = peak_mib(), []
    for _ in range(REPEATS):
        started = time.process_time()
        analyze(study)
        seconds.append(time.process_time() - started)
    return {
        "trials": float(len(study)),
        "CPU-seconds": statistics.median(seconds),
        "peak MiB": peak_mib(),
        "of it before the analysis": before,
    }


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))))
