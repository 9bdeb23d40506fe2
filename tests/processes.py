"""Commands that run beside a test, and the processes that they start."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil


def start(place: Path, *words: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """A command of ours in `place`, with SIGINT as at a terminal; `before` are the words of a command that runs it."""
    return subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *before, sys.executable, "-m", "actsweep", *words],
        cwd=place,
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(condition: Callable[[], bool], seconds: float, running: subprocess.Popen[str] | None = None) -> None:
    """Wait until something holds; a command that should run meanwhile must not end."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        assert running is None or running.poll() is None, f"it ended by itself: {running.communicate()}"
        time.sleep(0.02)


def family(pid: int) -> list[psutil.Process]:
    """All that descends from a process."""
    return psutil.Process(pid).children(recursive=True)


def workers(driver: int) -> list[psutil.Process]:
    """The processes in which Ray runs trials."""
    found = alive(family(driver))
    return [one for one in found if one.name().startswith("ray::") and not one.name().endswith("Agent")]


def busiest_worker(driver: int) -> int:
    return max(workers(driver), key=lambda process: process.cpu_times().user).pid


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def kill_when(condition: Callable[[], bool], place: Path, *words: str) -> None:
    """Start a command and kill it with all its processes once something has happened."""
    with start(place, *words) as running:
        try:
            wait_for(condition, 120, running)
        finally:
            if running.poll() is None:
                kill([psutil.Process(running.pid), *family(running.pid)])


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def count(folder: Path, kind: str) -> int:
    """How many events of a kind a study's ledger holds."""
    ledger = folder / "ledger.jsonl"
    return ledger.read_bytes().count(b'"event":"%s"' % kind.encode()) if ledger.exists() else 0
