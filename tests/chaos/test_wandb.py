"""W&B's server and client in trouble while a study runs: the study does not notice, and publishing makes it good."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from actsweep.events import TrialFinished, TrialStarted
from chaos.evidence import FOLDER, STUDY, events_of
from chaos.test_full_disk import Disk, fill
from processes import count, start, wait_for
from sockets import free_port
from wandb_server import Server, wandb_server

WORDS = ("sweep", *STUDY, "tracker=wandb_online", "study.measure_cost=false")
TRIALS = 14
Trouble = Callable[[Server, Callable[[], bool]], None]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def publish(place: Path, server: Server) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "actsweep", "publish", str(FOLDER)],
        cwd=place,
        env={**os.environ, **server.environment()},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def check_whole(place: Path, server: Server) -> None:
    """Publishing brings everything, and every run is there once with all its rows."""
    done = publish(place, server)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"W&B: {TRIALS + 1} of {TRIALS + 1} runs whole" in done.stdout
    runs = [run for run in server.runs.values() if run.job_type != "study"]
    assert sorted(len(run.rows) for run in runs) == [61] * TRIALS
    assert {run.state for run in runs} <= {"finished", "running"}


def check_unharmed(place: Path, running: "subprocess.Popen[str]", seconds: float) -> str:
    """The study ends by itself in some time, with every trial trained once; what it says."""
    printed, errors = running.communicate(timeout=seconds)
    assert (running.returncode, errors) == (0, "")
    events = events_of(place / FOLDER)
    assert sum(isinstance(event, TrialFinished) for event in events) == TRIALS
    assert {event.attempt for event in events if isinstance(event, TrialStarted)} == {1}
    assert "Traceback" not in printed
    return printed


def rows_arrived(server: Server) -> bool:
    return sum(len(run.rows) for run in list(server.runs.values())) > 20


@contextmanager
def in_trouble(server: Server, kind: str) -> Iterator[None]:
    """From the first rows on until the end of the block, or for a minute."""
    over = Event()

    def make_trouble() -> None:
        while not rows_arrived(server) and not over.wait(0.05):
            pass
        if kind == "hang":
            server.silent.set()
        else:
            server.status = int(kind)
        over.wait(60 if kind == "500" else None)
        server.silent.clear()
        server.status = 200

    thread = Thread(target=make_trouble)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", ["401", "500", "hang"])
def test_a_server_in_trouble_from_the_first_rows_on(kind: str, tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, **server.environment())
        with in_trouble(server, kind):
            printed = check_unharmed(tmp_path, running, 300)
        if kind != "500":  # a minute may pass without a trace
            assert "W&B: to bring all of it there: actsweep publish outputs/smoke" in printed
        check_whole(tmp_path, server)


@pytest.mark.parametrize("status", [401, 500])
def test_a_server_that_refuses_from_the_beginning(status: int, tmp_path: Path) -> None:
    with wandb_server() as server:
        server.status = status
        printed = check_unharmed(tmp_path, start(tmp_path, *WORDS, **server.environment()), 300)
        assert "W&B: to bring all of it there: actsweep publish outputs/smoke" in printed
        server.status = 200
        check_whole(tmp_path, server)


def test_a_server_that_is_down(tmp_path: Path) -> None:
    port = free_port()
    server = Server()
    server.url = f"http://127.0.0.1:{port}"
    printed = check_unharmed(tmp_path, start(tmp_path, *WORDS, **server.environment()), 300)
    assert "W&B: to bring all of it there: actsweep publish outputs/smoke" in printed
    with wandb_server(server, port):
        check_whole(tmp_path, server)


def test_a_connection_that_is_cut_while_the_study_runs(tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, **server.environment())
        wait_for(lambda: rows_arrived(server), 120, running)
    port = int(server.url.rpartition(":")[2])
    printed = check_unharmed(tmp_path, running, 300)
    assert "W&B: to bring all of it there: actsweep publish outputs/smoke" in printed
    with wandb_server(server, port):
        check_whole(tmp_path, server)


def test_wandbs_own_process_is_killed(tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, **server.environment())
        wait_for(lambda: rows_arrived(server), 120, running)
        children = psutil.Process(running.pid).children()
        (core,) = [child for child in children if child.name() == "wandb-core"]
        core.kill()
        check_unharmed(tmp_path, running, 300)
        check_whole(tmp_path, server)


@pytest.fixture
def own_disk(small_disk: Disk, tmp_path: Path) -> Iterator[Path]:
    """A small disk for the study's `wandb/` alone."""
    disk, folder = small_disk("size=1m"), tmp_path / FOLDER / "wandb"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "--bind", str(disk), str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("tracker", ["wandb_online", "wandb_offline"])
def test_a_disk_that_is_full_for_wandb_alone(tracker: str, own_disk: Path, tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, f"tracker={tracker}", **server.environment())
        wait_for(lambda: count(tmp_path / FOLDER, "finished") >= 1, 120, running)
        ballast = fill(own_disk)
        printed = check_unharmed(tmp_path, running, 300)
        assert "W&B: to bring all of it there: actsweep publish outputs/smoke" in printed
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path / "disk")], check=True)
        check_whole(tmp_path, server)


def test_an_interrupt_ends_within_ten_seconds_with_all_rows_flushed(tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, **server.environment())
        wait_for(lambda: count(tmp_path / FOLDER, "finished") >= 2, 120, running)
        begun = time.monotonic()
        running.send_signal(2)
        _, errors = running.communicate(timeout=60)
        took = time.monotonic() - begun
        assert running.returncode == 130, errors
        assert took < 10
        ended = [run for run in server.runs.values() if run.summary.get("status") == "completed"]
        assert len(ended) >= 2
        assert {len(run.rows) for run in ended} == {61}
        others = [run for run in server.runs.values() if run not in ended]
        assert {run.summary.get("status") for run in others} <= {"interrupted"}


def test_an_interrupt_while_only_wandb_is_waited_for(tmp_path: Path) -> None:
    with wandb_server() as server:
        running = start(tmp_path, *WORDS, **server.environment())
        wait_for((tmp_path / FOLDER / "results.json").exists, 120, running)
        server.silent.set()
        time.sleep(3)
        children = psutil.Process(running.pid).children(recursive=True)
        begun = time.monotonic()
        running.send_signal(2)
        _, errors = running.communicate(timeout=60)
        assert time.monotonic() - begun < 10
        assert (running.returncode, errors.count("\n")) == (130, 1)
        assert "all trials have ended. To see what came of them: actsweep report outputs/smoke" in errors
        assert psutil.wait_procs(children, timeout=5)[1] == []
