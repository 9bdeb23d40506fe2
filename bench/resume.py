"""What `actsweep resume` takes for a study of 10,000 trials of which one is left: until that one begins, and of memory.

The ledger is made up, by the package's own queue and events; the command, Ray and the last trial are real.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actsweep.events import Evaluation, Event, TrialFinished, TrialStarted
from actsweep.records import EventStream, Ledger, StudyFolder, read_ledger
from actsweep.search import Outcome, TrialQueue
from actsweep.study import Trial
from bench.driver import begin, study_of
from bench.idle import made_up_rows
from bench.memory import peak_mib

TRIALS = 10_000
FINAL = {"test_acc": 0.5, "test_loss": 1.0, "best_test_acc": 0.5}


def run() -> dict[str, Any]:
    """Wall seconds until the last trial begins, of which Ray's start is a part, CPU-seconds of all, and peak memory."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = _written(Path(temporary))
        before = len(read_ledger(folder.ledger).events)
        started = time.time()
        process = subprocess.Popen(
            [sys.executable, "-m", "actsweep", "resume", str(folder.path)], stdout=subprocess.DEVNULL
        )
        peaks = []
        while process.poll() is None:
            peaks.append((time.time(), peak_mib(process.pid)))
            time.sleep(0.1)
        ended = time.time()
        assert process.returncode == 0
        events = read_ledger(folder.ledger).events[before:]
        begun = next(event.time for event in events if isinstance(event, TrialStarted))
    small = _start_of_a_small_study()
    return {
        "trials": TRIALS,
        "wall seconds until the last trial begins": begun - started,
        "the same of a study without trials": small,
        "difference": begun - started - small,
        "wall seconds in all": ended - started,
        "driver's peak MiB until then": max(peak for when, peak in peaks if when < begun),
        "driver's peak MiB in all": max(peak for _, peak in peaks),
    }


def _written(place: Path) -> StudyFolder:
    study, source = study_of(TRIALS, place)
    folder = StudyFolder(place / "study")
    folder.path.mkdir()
    with Ledger(folder.ledger) as ledger:
        stream = EventStream(ledger, [])
        begin(stream, study, source)
        queue = TrialQueue(study, lambda trial: None, stream)
        for number in range(TRIALS - 1):
            trial = queue.next()
            assert trial is not None, number
            stream(*_events(trial))
            queue.end(trial.trial_id, Outcome(0.5))
        folder.write_config(study.config)
    return folder


def _events(trial: Trial) -> list[Event]:
    place = trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance
    now = time.time()
    rows = [Evaluation(trial.trial_id, 1, row, now) for row in made_up_rows(trial.config)]
    return [
        TrialStarted(trial.trial_id, 1, *place, now, trial.spared),
        *rows,
        TrialFinished(trial.trial_id, 1, "completed", FINAL, now, {}),
    ]


def _start_of_a_small_study() -> float:
    with tempfile.TemporaryDirectory() as place:
        words = ("experiment=smoke", "tracker=none", f"run.root={place}", "run.name=study")
        started = time.time()
        subprocess.run([sys.executable, "-m", "actsweep", "sweep", *words], check=True, stdout=subprocess.DEVNULL)
        events = read_ledger(Path(place) / "study" / "ledger.jsonl").events
        return next(event.time for event in events if isinstance(event, TrialStarted)) - started
