"""Where the quickstart's CPU-seconds go: every process of a real run watched from outside."""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from actsweep.train import train
from bench.training import trial

SAMPLE_SECONDS = 0.2


def run() -> dict[str, Any]:
    """CPU-seconds by process and purpose, wall seconds, and the share of the CPU-seconds that was training."""
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        by_process = watched([sys.executable, "-m", "actsweep", "sweep", "experiment=quickstart"], place)
        wall = time.perf_counter() - started
        curves = pq.read_table(Path(place) / "outputs" / "quickstart" / "curves.parquet").to_pandas()
    training = float(curves.groupby("trial_id").seconds.max().sum())
    measuring = _measuring_share() * training
    imports = _cpu_seconds_of("import actsweep.train, actsweep.worker.runner") * 2
    total = sum(by_process.values())
    return {
        "wall seconds": wall,
        "CPU-seconds in all": total,
        **{f"CPU-seconds: {name}": seconds for name, seconds in sorted(by_process.items())},
        "of the workers: training": training,
        "of the workers: evaluation and probes (estimate)": measuring,
        "of the workers: imports (two workers, estimate)": imports,
        "of the workers: the rest (cost measurement, reports, Ray)": by_process["workers"]
        - training
        - measuring
        - imports,
        "share of all CPU-seconds that was training": training / total,
    }


def watched(command: list[str], place: str) -> dict[str, float]:
    """CPU-seconds of a command and all its descendants, by what they are, as last seen before they ended."""
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL)
    root, seen = psutil.Process(process.pid), {}
    while process.poll() is None:
        for one in [root, *root.children(recursive=True)]:
            try:
                times, name = one.cpu_times(), one.name()
            except psutil.NoSuchProcess:
                continue
            seen[one.pid] = (_purpose(name, one.pid == process.pid), times.user + times.system)
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"the quickstart ended with {process.returncode}")
    sums: dict[str, float] = defaultdict(float)
    for purpose, seconds in seen.values():
        sums[purpose] += seconds
    return sums


def _purpose(name: str, is_driver: bool) -> str:
    if is_driver:
        return "driver"
    if name.startswith("ray::") and not name.endswith("Agent"):
        return "workers"
    return "wandb-core" if name.startswith("wandb") else "Ray's own processes"


def _measuring_share() -> float:
    """Thread-seconds of a quickstart trial outside training, per second of training."""
    config, data = trial("experiment=quickstart")
    started = time.thread_time()
    curve = train(config, data)
    assert curve.seconds is not None
    return (time.thread_time() - started) / float(curve.seconds[-1]) - 1


def _cpu_seconds_of(code: str) -> float:
    process = psutil.Popen(
        [sys.executable, "-c", f"{code}; import time; print(time.process_time())"], stdout=subprocess.PIPE
    )
    return float(process.communicate()[0])
