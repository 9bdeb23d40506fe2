"""What a cluster of 10, 100 and 1,000 workers would make of their time, by simulation from what the driver costs here.

Measured on this machine, through the real queue, Ray Tune and ledger: the driver's CPU time for a trial that is handed
out by itself, and for each result of one. Simulated: workers that train trials of one length, whose results a single
driver takes in one at a time; a worker without a trial waits until the driver has come to it. Left out, since one
machine cannot show it: networks, Ray's own processes on the head, and nodes that start.
"""

import heapq
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from actsweep.cluster import connected
from actsweep.records import EventStream, Ledger, StudyFolder
from actsweep.system.halt import Halt
from actsweep.worker.runner import REPORT_SECONDS
from bench.driver import ROOT, begin, study_of
from bench.idle import IdleRunner

TRIALS = 200
RESULTS = (2, 42)
WORKERS = (10, 100, 1000)
TRIAL_SECONDS = (5.0, 60.0, 600.0)
EVALUATIONS = 30
ROUNDS = 20  # trials of each worker
SPREAD = 0.1  # of trials' lengths


def run() -> dict[str, Any]:
    """The driver's costs, and the share of their time that workers train."""
    few, many = (_measured(results) for results in RESULTS)
    result = (many - few) / (RESULTS[1] - RESULTS[0])
    trial = few - RESULTS[0] * result
    figures: dict[str, Any] = {"driver, ms per trial by itself": 1000 * trial, "driver, ms per result": 1000 * result}
    for seconds in TRIAL_SECONDS:
        results = min(EVALUATIONS, int(seconds / REPORT_SECONDS))  # a worker reports no more often
        for workers in WORKERS:
            busy = simulated(workers, seconds, results, trial, result)
            figures[f"trials of {seconds:g} s, {workers} workers: busy"] = busy
        figures[f"trials of {seconds:g} s: workers that fill the driver"] = seconds / (trial + results * result)
    return figures


def simulated(workers: int, seconds: float, results: int, trial: float, result: float) -> float:
    """The share of their time that workers train.

    Args:
        workers: how many there are.
        seconds: of training of a trial; lengths scatter by `SPREAD`.
        results: that a trial reports, evenly spaced; it trains on while the driver takes one in, but for the last.
        trial: seconds of the driver to end a trial and hand out the next.
        result: seconds of the driver to take in a result.
    """
    chance = random.Random(0)
    pace = [0.0] * workers
    left = [0] * workers
    waiting: list[tuple[float, int]] = [(0.0, worker) for worker in range(workers)]  # what reaches the driver, and when
    free, trained, handed_out, last = 0.0, 0.0, 0, 0.0
    while waiting:
        arrives, worker = heapq.heappop(waiting)
        free = max(free, arrives) + (result if left[worker] else trial)
        if left[worker] > 1:
            left[worker] -= 1
            heapq.heappush(waiting, (arrives + pace[worker], worker))
        elif left[worker] == 1:
            left[worker] = 0
            last = arrives
            heapq.heappush(waiting, (free, worker))  # its last result has been taken in: it needs another trial
        elif handed_out < workers * ROUNDS:
            handed_out += 1
            length = seconds * chance.uniform(1 - SPREAD, 1 + SPREAD)
            trained += length
            pace[worker], left[worker] = length / results, results
            heapq.heappush(waiting, (free + pace[worker], worker))
    return trained / (workers * last)


def _measured(results: int) -> float:
    command = [sys.executable, "-m", "bench.scaling", str(results)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def measure(results: int, place: Path) -> float:
    """The driver's CPU seconds per trial that is handed out by itself and reports one result after the other."""
    import ray

    import bench.idle
    from actsweep.search import run
    from actsweep.search.tune import packs

    ray.cloudpickle.register_pickle_by_value(bench.idle)  # workers cannot import them
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    run.TrialRunner = _OneByOne  # type: ignore[misc]
    packs.MOST_TRIALS = 1
    spent = []
    for trials in (TRIALS // 2, TRIALS + TRIALS // 2):  # the difference leaves out what is paid once
        study, source = study_of(trials, place, results)
        folder = StudyFolder(place / f"study-{trials}")
        folder.path.mkdir()
        with ExitStack() as stack:
            ledger = stack.enter_context(Ledger(folder.ledger))
            capacity = stack.enter_context(connected(study.config.cluster))
            stream = EventStream(ledger, [])
            begin(stream, study, source)
            began = time.process_time()
            run.run_trials(study, source, folder, stream, Halt(), capacity.slots)
            spent.append(time.process_time() - began)
            ended = sum(trial.has_result for trial in stream.record.trials.values())
            assert ended == trials, f"{ended} of {trials} trials have ended"
    return (spent[1] - spent[0]) / TRIALS


class _OneByOne(IdleRunner):
    """A worker that trains nothing, and whose results hold one evaluation each."""

    def setup(self, config: dict[str, Any]) -> None:
        super().setup({**config, "one_row_a_step": True})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure(int(sys.argv[1]), Path(temporary))))
