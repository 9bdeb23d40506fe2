"""Run the benchmarks that are named, or all: figures on the screen, and as JSON in outputs/bench/."""

import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench import (
    analysis_speed,
    coverage,
    dependence,
    driver,
    efficiency,
    plain_tune,
    precision,
    quickstart,
    report,
    resume,
    scaling,
    side_by_side,
    startup,
    template,
    tracking,
    training,
)

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "analysis_speed": analysis_speed.run,
    "coverage": coverage.run,
    "dependence": dependence.run,
    "training": training.run,
    "template": template.run,
    "driver": driver.run,
    "efficiency": efficiency.run,
    "report": report.run,
    "resume": resume.run,
    "scaling": scaling.run,
    "startup": startup.run,
    "plain_tune": plain_tune.run,
    "precision": precision.run,
    "side_by_side": side_by_side.run,
    "quickstart": quickstart.run,
    "tracking": tracking.run,
}
OUTPUT = Path("outputs/bench")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; known are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in names or BENCHMARKS:
        figures = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), **BENCHMARKS[name]()}
        (OUTPUT / f"{name}.json").write_text(json.dumps(figures, indent=1))
        print(f"\n{name}")
        for key, value in figures.items():
            print(f"  {key:<42} {value if not isinstance(value, float) else f'{value:.3f}'}")
    return 0


def machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
