"""How much of two cores a sweep turns into training, for trials of about 60, 5 and 1 seconds.

What counts as training is what the trials' own threads spend in `train`, measurements and checkpoints included: the
exclusive training seconds of the curves, times what a whole trial takes for each of them, measured on one trial in this
process. It is divided by cores times wall seconds, from the first trial's start to the last one's end, and of all.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actsweep.events import TrialFinished, TrialStarted
from actsweep.records import Attempt, StudyFolder, read_ledger
from actsweep.train import train
from bench.training import trial

CORES = 2
TRIAL_SECONDS = (60.0, 5.0, 1.0)
SWEEP_SECONDS = 120.0  # of wall time, at least
FEWEST = 8  # trials
CALIBRATION_EPOCHS = 20
STUDY = ("data=digits", "optimizer=adam")


def run() -> dict[str, Any]:
    """Efficiency by the length of a trial."""
    if len(os.sched_getaffinity(0)) != CORES:
        print(f"  (these figures are for {CORES} cores; here are {len(os.sched_getaffinity(0))})", file=sys.stderr)
    epoch, whole = _calibrated()
    figures: dict[str, Any] = {"a whole trial / its training": whole}
    for seconds in TRIAL_SECONDS:
        epochs = max(2, round(seconds / epoch))
        trials = max(FEWEST, 2 * math.ceil(SWEEP_SECONDS * CORES / seconds / 2))
        training, between, command = _swept(epochs, trials)
        name = f"{seconds:g} s ({trials} trials of {epochs} epochs)"
        figures[f"{name}: between first and last trial"] = training * whole / (CORES * between)
        figures[f"{name}: of the whole command"] = training * whole / (CORES * command)
    return figures


def _calibrated() -> tuple[float, float]:
    """Seconds of an epoch with its measurements, and what a whole trial takes for each second of training."""
    config, data = trial(*STUDY, "data.root=null", f"trainer.epochs={CALIBRATION_EPOCHS}")
    train(config, data)  # what a process does once
    with tempfile.TemporaryDirectory() as folder:
        started = time.thread_time()
        curve = train(config, data, None, Attempt(Path(folder)))
        spent = time.thread_time() - started
    assert curve.seconds is not None
    return spent / CALIBRATION_EPOCHS, spent / float(curve.seconds[-1])


def _swept(epochs: int, trials: int) -> tuple[float, float, float]:
    """Training seconds of a real sweep; wall seconds from its first trial's start to its last one's end, and of all."""
    points = 2
    words = (
        *("experiment=quickstart", "run.name=study", "tracker=none", "scheduler=none", "study.measure_cost=false"),
        *(f"trainer.epochs={epochs}", f"study.tune.points={points}", f"study.replicate.seeds={trials // 2 - points}"),
    )
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        command = [sys.executable, "-m", "actsweep", "sweep", *words, f"run.root={place}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - started
        content = read_ledger(StudyFolder(Path(place) / "study").ledger)
    begun = min(event.time for event in content.events if isinstance(event, TrialStarted))
    ended = max(event.time for event in content.events if isinstance(event, TrialFinished))
    training = sum(one.rows[-1]["seconds"] for one in content.fold().trials.values())
    return training, ended - begun, wall
