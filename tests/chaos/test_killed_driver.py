"""SIGKILL of the process that runs a study, at twenty moments of one study, from its start-up to its report."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from chaos.evidence import (
    FOLDER,
    REPLICATES,
    STUDY,
    TUNED,
    Command,
    check_gone,
    check_like,
    check_no_epoch_trained_twice,
    resume,
    trained_again,
)
from processes import family, start, wait_for, workers


@dataclass(frozen=True)
class State:
    """How far a study is, from its files alone."""

    began: bool
    evaluations: int
    replicates: int
    finished: int
    costs: int
    over: bool
    tabled: int

    @classmethod
    def of(cls, folder: Path) -> "State":
        ledger, curves = folder / "ledger.jsonl", folder / "curves.parquet"
        lines = ledger.read_bytes() if ledger.exists() else b""
        return cls(
            b'"event":"study_started"' in lines,
            lines.count(b'"event":"evaluation"'),
            lines.count(b'"phase":"replicate"'),
            lines.count(b'"event":"finished"'),
            lines.count(b'"event":"step_cost"'),
            b'"event":"study_finished"' in lines,
            curves.stat().st_mtime_ns if curves.exists() else 0,
        )


@dataclass(frozen=True)
class Moment:
    """When to kill: a while after something has happened since the command began, at most `longest` seconds."""

    stage: str
    happened: Callable[[State, State], bool]
    longest: float


STARTUP = Moment("start-up", lambda before, now: True, 6.0)
TUNING = Moment("tune", lambda before, now: now.evaluations > before.evaluations, 2.0)
REPLICATING = Moment("replicate", lambda before, now: now.replicates > before.replicates, 1.0)
TRAINED = Moment("measure", lambda before, now: now.finished == TUNED + REPLICATES, 2.0)
MEASURE = Moment("measure", lambda before, now: now.costs > before.costs, 0.2)
OVER = Moment("report", lambda before, now: now.over, 1.0)
REPORT = Moment("report", lambda before, now: now.tabled > before.tabled, 0.3)
MOMENTS = (
    *(STARTUP, STARTUP, TUNING, STARTUP, TUNING, TUNING, STARTUP, TUNING, TUNING, STARTUP),
    *(REPLICATING, REPLICATING, STARTUP, REPLICATING, REPLICATING),
    *(TRAINED, MEASURE, OVER, REPORT, REPORT),
)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_study_whose_driver_is_killed_twenty_times_has_the_same_results(
    actsweep: Command, undisturbed: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folder, chance = tmp_path / FOLDER, random.Random(20)
    struck: Counter[str] = Counter()
    orphans: list[psutil.Process] = []
    for moment in MOMENTS:
        trainers, everyone = _kill(tmp_path, moment, chance.uniform(0, moment.longest))
        struck[moment.stage] += 1
        orphans += everyone
        if chance.random() < 0.5:  # else the next driver meets the workers of the one before
            check_gone(trainers, 30)
    resume(actsweep, folder)
    record_property("killed", dict(struck))
    record_property("measured again", trained_again(folder))
    assert struck.total() == 20
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)
    check_gone(orphans)


def _kill(place: Path, moment: Moment, delay: float) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Begin or go on, and kill the driver alone; the workers, and all that it leaves."""
    folder = place / FOLDER
    before = State.of(folder)
    words = ("resume", str(FOLDER)) if before.began else ("sweep", *STUDY)
    with start(place, *words) as driver:
        wait_for(lambda: moment.happened(before, State.of(folder)), 120, driver)
        time.sleep(delay)
        assert driver.poll() is None, f"{moment.stage}: it ended before it was killed: {driver.communicate()}"
        trainers, everyone = workers(driver.pid), family(driver.pid)
        driver.kill()
        driver.wait()
    return trainers, everyone
