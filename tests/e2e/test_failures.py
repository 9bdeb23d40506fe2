"""Trials that fail in every way that a plugin can make them fail, in whole sweeps."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.events import CellGivenUp, TrialFailed, TrialFinished
from actsweep.records import StudyFolder, read_ledger
from processes import busiest_worker, count, start, wait_for

Command = Callable[..., subprocess.CompletedProcess[str]]
FAULTY = """
import errno
import time
from pathlib import Path

import actsweep
from torch import nn

def first_time(name):
    try:
        Path(__file__).with_name(name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True

class Faulty(nn.Tanh):
    def forward(self, z):
        if self.training:
            self.fail()
        return super().forward(z)

@actsweep.register_activation("broken", bounded=True)
class Broken(Faulty):
    def fail(self):
        raise ValueError(f"{id(self)} is broken")

@actsweep.register_activation("greedy", bounded=True)
class Greedy(Faulty):
    def fail(self):
        if first_time("greedy"):
            raise MemoryError("not enough for one")

@actsweep.register_activation("writer", bounded=True)
class Writer(Faulty):
    def fail(self):
        if first_time("writer"):
            raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

@actsweep.register_activation("hanging", bounded=True)
class Hanging(Faulty):
    def fail(self):
        time.sleep(3600)
"""
STUDY = ("experiment=smoke", "plugins=[faulty]", "tracker=none")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "faulty.py").write_text(FAULTY)
    return tmp_path


def failures(folder: StudyFolder) -> list[TrialFailed]:
    return [event for event in read_ledger(folder.ledger).events if isinstance(event, TrialFailed)]


def arms(*names: str) -> str:
    return f"study.scientific.model.activation=[{','.join(names)}]"


@pytest.mark.slow
def test_a_cell_that_fails_alike_is_given_up_and_the_others_go_on(actsweep: Command, place: Path) -> None:
    """Also: a trial that ran out of memory begins again, and comes to its end."""
    done = actsweep("sweep", *STUDY, arms("relu", "greedy", "broken"), "study.tune.points=4", cwd=place, timeout=240)
    assert done.returncode == 1, done.stderr
    folder = StudyFolder(place / "outputs" / "smoke")
    (memory,) = (failed for failed in failures(folder) if failed.reason == "memory")
    broken = [failed for failed in failures(folder) if failed != memory]
    assert (memory.message, memory.will_retry) == ("MemoryError: not enough for one", True)
    assert 3 <= len(broken) <= 4  # another one may have been running
    assert {(failed.reason, failed.will_retry) for failed in broken} == {("error", False)}
    events = read_ledger(folder.ledger).events
    assert [event.cell["model.activation"] for event in events if isinstance(event, CellGivenUp)] == ["broken"]
    results = json.loads(folder.results.read_text())
    assert results["study"]["trials"]["replicate"] == 4
    assert any("broken/3 was given up after" in warning for warning in results["study"]["warnings"])
    again = next(event for event in events if isinstance(event, TrialFinished) and event.attempt == 2)
    assert again.trial_id == memory.trial_id
    assert {path.name for path in folder.trial(again.trial_id).glob("*.log")} == {"attempt-1.log", "attempt-2.log"}


@pytest.mark.slow
def test_a_full_disk_halts_the_study_and_resume_completes_it(actsweep: Command, place: Path) -> None:
    done = actsweep("sweep", *STUDY, arms("relu", "writer"), cwd=place, timeout=240)
    assert done.returncode == 130
    assert "the disk is full" in done.stderr
    assert "actsweep resume" in done.stderr
    resumed = actsweep("resume", "outputs/smoke", cwd=place, timeout=240)
    assert resumed.returncode == 0, resumed.stderr
    assert [failed.reason for failed in failures(StudyFolder(place / "outputs" / "smoke"))] == ["disk"]


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended_with_its_traceback_in_the_log(actsweep: Command, place: Path) -> None:
    words = (arms("relu", "hanging"), "study.tune.points=1", "trainer.trial_timeout=20")
    done = actsweep("sweep", *STUDY, *words, cwd=place, timeout=240)
    assert done.returncode == 1, done.stderr
    folder = StudyFolder(place / "outputs" / "smoke")
    (failed,) = failures(folder)
    assert (failed.reason, failed.will_retry) == ("timeout", False)
    assert "trainer.trial_timeout=20" in failed.message
    assert "in fail" in (folder.trial(failed.trial_id) / "attempt-1.log").read_text()


@pytest.mark.slow
def test_a_frozen_worker_is_ended_by_the_driver(place: Path) -> None:
    folder = StudyFolder(place / "outputs" / "smoke")
    words = ("trainer.epochs=2000", "trainer.trial_timeout=20", "cluster.max_concurrent=1", "study.tune.points=1")
    with start(place, "sweep", *STUDY, *words) as running:
        wait_for(lambda: count(folder.path, "evaluation") > 2, 120, running)
        frozen = busiest_worker(running.pid)
        os.kill(frozen, signal.SIGSTOP)
        wait_for(lambda: count(folder.path, "failed") > 0, 180, running)
        running.terminate()
        running.communicate(timeout=60)
    failed = failures(folder)[0]
    assert (failed.reason, failed.will_retry) == ("timeout", False)
    wait_for(lambda: not Path(f"/proc/{frozen}").exists(), 30)
