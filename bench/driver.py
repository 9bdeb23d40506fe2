"""What the driver spends on a trial that does no work but reports 30 evaluations: CPU-seconds, and peak memory.

The real queue, Ray Tune, ledger, mirror and progress display; only the training on the workers is left out. Each number
of trials is measured in a process of its own.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from actsweep.cluster import connected
from actsweep.config import run_with_hydra
from actsweep.data import Source, prepare
from actsweep.events import StudyStarted
from actsweep.records import EventStream, Ledger, StudyFolder
from actsweep.report.terminal.progress import Progress
from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.system.halt import Halt
from bench.memory import peak_mib

ROOT = Path(__file__).parents[1]
REPORTS = 30
SIZES = (100, 1000, 10_000)


def run() -> dict[str, Any]:
    """Driver's CPU milliseconds per trial by the number of trials, the ledger's and the mirror's share, and memory."""
    figures: dict[str, Any] = {}
    per_trial = {}
    for trials in SIZES:
        done = subprocess.run(
            [sys.executable, "-m", "bench.driver", str(trials)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
        measured = json.loads(done.stdout.splitlines()[-1])
        per_trial[trials] = measured["driver, CPU ms per trial"]
        figures |= {f"{trials} trials: {key}": value for key, value in measured.items()}
    figures[f"cost per trial at {SIZES[-1]} / at {SIZES[0]}"] = per_trial[SIZES[-1]] / per_trial[SIZES[0]]
    return figures


def measure(trials: int, place: Path) -> dict[str, float]:
    """Figures of one study, of a process that does nothing else."""
    study, source = study_of(trials, place)
    folder = StudyFolder(place / "study")
    folder.path.mkdir()
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(folder.ledger))
        capacity = stack.enter_context(connected(study.config.cluster))
        from actsweep.search import Mirror

        progress = stack.enter_context(Progress(study, Console(file=io.StringIO())))
        mirror = Mirror(study, folder, ledger.content.fold())
        stream = _Timed(ledger, [_timed(spent, "progress", progress), _timed(spent, "mirror", mirror)], spent)
        begin(stream, study, source)
        run_trials = _run_trials_without_work()
        cpu, wall = time.process_time(), time.perf_counter()
        run_trials(study, source, folder, stream, Halt(), capacity.slots)
        _timed(spent, "mirror", mirror.close)()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        ended = sum(trial.has_result and len(trial.rows) == REPORTS for trial in stream.record.trials.values())
        assert ended == trials, f"{ended} of {trials} trials have ended"
    per_trial = {f"{name}, CPU ms per trial": 1000 * seconds / trials for name, seconds in spent.items()}
    return {
        "driver, CPU ms per trial": 1000 * cpu / trials,
        **per_trial,
        "wall ms per trial": 1000 * wall / trials,
        "driver's peak MiB": peak_mib(),
    }


def study_of(trials: int, place: Path, reports: int = REPORTS) -> tuple[Study, Source]:
    found: list[StudyConfig] = []
    words = (
        *("experiment=smoke", f"run.root={place}", "run.name=study", "tracker=none"),
        *("study.tune.points=4", f"study.replicate.seeds={trials // 2 - 4}", f"trainer.epochs={reports - 1}"),
    )
    run_with_hydra("sweep", words, lambda config, overrides: found.append(config) or 0)
    source = prepare(found[0].data)
    return Study(found[0], source.fingerprint), source


def begin(stream: EventStream, study: Study, source: Source) -> None:
    data = {"label": source.label, "fingerprint": source.fingerprint, "classes": len(source.classes)}
    stream(StudyStarted(study.config.run.name, data, {}, study.config.model_dump(mode="json"), time.time()))


def _run_trials_without_work() -> Callable[..., None]:
    """`run_trials`, whose workers train nothing."""
    import ray

    import bench.idle
    from actsweep.search import run

    ray.cloudpickle.register_pickle_by_value(bench.idle)  # workers cannot import it
    run.TrialRunner = bench.idle.IdleRunner  # type: ignore[misc]
    return run.run_trials


def _timed(spent: dict[str, float], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        began = time.thread_time()
        try:
            return call(*args)
        finally:
            spent[name] += time.thread_time() - began

    return timed


class _Timed(EventStream):
    """A stream that knows what writing to the ledger cost."""

    def __init__(self, ledger: Ledger, subscribers: list[Callable[..., Any]], spent: dict[str, float]) -> None:
        super().__init__(ledger, subscribers)
        self._ledger = _timed(spent, "ledger", ledger)  # type: ignore[assignment]
        self.tick = ledger.sync_if_due  # type: ignore[method-assign]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure(int(sys.argv[1]), Path(temporary))))
