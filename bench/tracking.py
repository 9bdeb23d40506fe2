"""What W&B costs the driver: the quickstart with and without it, and 1,000 trials of 30 evaluations, events alone.

`python -m bench.tracking TRIALS [TRACKER]` measures the latter in this process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from actsweep.config import run_with_hydra
from actsweep.events import Evaluation, Event, StudyStarted, TrialFinished, TrialStarted
from actsweep.records import StudyFolder
from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.tracker import tracker
from bench.quickstart import watched

ROOT = Path(__file__).parents[1]
PAIRS, TRIALS, EVALUATIONS = 3, 1000, 30
LONGEST_CLOSE = 600.0


def run() -> dict[str, Any]:
    """CPU-seconds of whole quickstarts in turn without and with W&B, of W&B's own process, and of the events alone."""
    totals: dict[str, list[float]] = {"none": [], "wandb_offline": []}
    core = []
    for _ in range(PAIRS):
        for name, found in totals.items():
            with tempfile.TemporaryDirectory() as place:
                words = ["sweep", "experiment=quickstart", f"tracker={name}"]
                by_process = watched([sys.executable, "-m", "actsweep", *words], place)
            found.append(sum(by_process.values()))
            if name != "none":
                core.append(by_process.get("wandb-core", 0.0))
    done = subprocess.run(
        [sys.executable, "-m", "bench.tracking", str(TRIALS)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    ratios = [offline / none for none, offline in zip(*totals.values(), strict=True)]
    return {
        "quickstart: CPU-seconds with W&B / without, median of pairs": statistics.median(ratios),
        **{f"quickstart: pair {pair}": ratio for pair, ratio in enumerate(ratios, start=1)},
        "quickstart: CPU-seconds of wandb-core": statistics.median(core),
        **{f"{TRIALS} trials: {key}": value for key, value in json.loads(done.stdout.splitlines()[-1]).items()},
    }


def measure(trials: int, name: str, place: Path) -> dict[str, float]:
    """Figures of the tracker alone, told of trials one after the other, of a process that does nothing else."""
    study, folder = _study(name, place)
    tracked = tracker(study, folder)
    assert tracked is not None
    own, begun = psutil.Process(), time.process_time()
    halfway: tuple[float, int] = (0.0, 0)
    tracked(StudyStarted("smoke", {"label": "digits", "fingerprint": "0", "classes": 10}, {}, {}, 0.0))
    for trial in range(trials):
        for event in _events(study, trial):
            tracked(event)
        while tracked.waiting:
            time.sleep(0.001)
        if trial == trials // 2:
            halfway = own.memory_info().rss / 2**20, own.num_fds()
    memory, files = own.memory_info().rss / 2**20, own.num_fds()
    core = sum(child.cpu_times().user + child.cpu_times().system for child in own.children())
    summary = tracked.close(LONGEST_CLOSE)
    return {
        "driver, CPU ms per trial": 1000 * (time.process_time() - begun) / trials,
        "wandb-core, CPU ms per trial": 1000 * core / trials,
        "runs that are whole": summary.runs,
        "problems": len(summary.problems),
        "driver, MiB after half of them": halfway[0],
        "driver, MiB after all": memory,
        "open files after half of them": halfway[1],
        "open files after all": files,
    }


def _study(name: str, place: Path) -> tuple[Study, StudyFolder]:
    configs: list[StudyConfig] = []
    words = ["experiment=smoke", f"tracker={name}", f"run.root={place}"]
    run_with_hydra("sweep", words, lambda config, overrides: configs.append(config) or 0)
    folder = StudyFolder(place / "smoke")
    folder.write_config(configs[0])
    return Study(configs[0]), folder


def _events(study: Study, number: int) -> Iterator[Event]:
    cell = study.cells[number % len(study.cells)]
    trial_id = f"{number:012x}"
    yield TrialStarted(trial_id, 1, "tune", 0, number, cell.values, {"optimizer.lr": 0.01}, 0.0)
    for epoch in range(EVALUATIONS):
        accuracy = {"train_acc": epoch / EVALUATIONS, "val_acc": epoch / (EVALUATIONS + 1)}
        losses = {"train_loss": 2.0 - epoch / EVALUATIONS, "val_loss": 2.1 - epoch / EVALUATIONS}
        row = {"epoch": epoch, "step": epoch, **losses, **accuracy, "seconds": 0.1 * epoch, "grad_slope": 0.1}
        yield Evaluation(trial_id, 1, row, 0.0)
    yield TrialFinished(trial_id, 1, "completed", {"test_acc": 0.9, "test_loss": 0.3, "best_test_acc": 0.9}, 0.0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        trials, name = int(sys.argv[1]), (*sys.argv[2:], "wandb_offline")[0]
        print(json.dumps(measure(trials, name, Path(folder))))
