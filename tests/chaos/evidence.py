"""The study that is disturbed here, and what must be true of it afterwards."""

import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

import timeless
from actsweep.events import Evaluation, Event, TrialFinished
from actsweep.records import read_ledger
from processes import alive, kill, wait_for

Command = Callable[..., subprocess.CompletedProcess[str]]

TUNED, REPLICATES = 6, 8
STUDY = (
    *("experiment=smoke", "tracker=none", "study.measure_cost=true"),
    *("study.tune.points=3", "study.replicate.seeds=4", "trainer.epochs=60", "data.train=1024"),
)
FOLDER = Path("outputs") / "smoke"
LONGEST_END = 90.0  # Ray's own agents end a minute after their driver was killed


def resume(actsweep: Command, folder: Path, timeout: float = 240) -> None:
    """One command brings a study to its end."""
    done = actsweep("resume", str(folder), timeout=timeout)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def check_like(folder: Path, undisturbed: Path) -> None:
    """The results are those of a study that nothing happened to, and each trial has ended once."""
    ends = Counter(event.trial_id for event in events_of(folder) if isinstance(event, TrialFinished))
    assert len(ends) == TUNED + REPLICATES
    assert set(ends.values()) == {1}
    assert timeless.curves(folder).equals(timeless.curves(undisturbed))
    assert timeless.results(folder) == timeless.results(undisturbed)


def events_of(folder: Path) -> Sequence[Event]:
    return read_ledger(folder / "ledger.jsonl").events


def trained_again(folder: Path) -> dict[tuple[str, int], list[int]]:
    """The epochs that a later attempt (trial, number) measured anew, though an earlier one had reported them.

    A row that comes from the checkpoint is not among them: its times are the earlier attempt's, to the last digit.
    """
    reported: defaultdict[tuple[str, int], set[float]] = defaultdict(set)
    again: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for event in events_of(folder):
        if isinstance(event, Evaluation):
            times = reported[event.trial_id, event.row["epoch"]]
            if times and event.row["wall"] not in times:
                again[event.trial_id, event.attempt].append(event.row["epoch"])
            times.add(event.row["wall"])
    return dict(again)


def check_no_epoch_trained_twice(folder: Path) -> None:
    """Only the epoch that was under way is lost, as nobody had heard of it; epoch 0 is measured, not trained."""
    assert {epoch for epochs in trained_again(folder).values() for epoch in epochs} <= {0}


def check_gone(processes: Sequence[psutil.Process], seconds: float = LONGEST_END) -> None:
    """Processes end by themselves, and with them their ports."""
    try:
        wait_for(lambda: not alive(processes), seconds)
    finally:
        left = alive(processes)
        names = [one.cmdline()[:1] for one in left]
        kill(left)
        assert not left, names


def outcome_of(running: subprocess.Popen[str], seconds: float) -> tuple[int, str]:
    """How a command ended, and what it said on stderr; one that hangs is ended with all that it started."""
    started = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
    try:
        _, errors = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as hang:
        running.kill()
        kill(started)
        raise AssertionError(f"it hung for {seconds:g} seconds: {running.communicate()}") from hang
    assert "Traceback" not in errors, errors
    return running.returncode, errors
