"""How long commands take to start, on a study of a few seconds: CPU-seconds of each, and the first trial of a sweep."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actsweep.events import Evaluation, TrialStarted
from actsweep.records import read_ledger

REPEATS = 5
SWEEPS = 3
SWEEP = ("sweep", "experiment=smoke", "tracker=none")


def run() -> dict[str, Any]:
    """Median CPU-seconds by command; wall seconds from a sweep's start to its first trial and first evaluation."""
    with tempfile.TemporaryDirectory() as place:
        firsts = [_firsts(Path(place) / str(number)) for number in range(SWEEPS)]
        study = Path(place) / "0" / "outputs" / "smoke"
        commands = {
            "--help": ("--help",),
            "status": ("status", str(study)),
            "list": ("list", "--root", str(study.parent)),
            "report": ("report", str(study)),
            "analyze": ("analyze", str(study / "curves.parquet"), "--out", str(Path(place) / "analysis")),
        }
        figures: dict[str, Any] = {
            f"{name}, CPU-seconds": statistics.median(_cpu_seconds(words) for _ in range(REPEATS))
            for name, words in commands.items()
        }
    for what, seconds in zip(("trial begins", "evaluation"), zip(*firsts, strict=True), strict=True):
        figures[f"sweep, wall seconds until the first {what}"] = statistics.median(seconds)
    return figures


def _cpu_seconds(words: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "actsweep", *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _firsts(place: Path) -> tuple[float, float]:
    place.mkdir()
    started = time.time()
    subprocess.run([sys.executable, "-m", "actsweep", *SWEEP], cwd=place, check=True, stdout=subprocess.DEVNULL)
    events = read_ledger(place / "outputs" / "smoke" / "ledger.jsonl").events
    begun = next(event.time for event in events if isinstance(event, TrialStarted))
    measured = next(event.time for event in events if isinstance(event, Evaluation))
    return begun - started, measured - started
