"""What Ctrl-C and its kin do to a sweep: it ends soon, loses nothing, and says how to go on."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from processes import alive, count, family, start, wait_for

Command = Callable[..., subprocess.CompletedProcess[str]]
MANY = ("experiment=smoke", "study.replicate.seeds=40")
ONE_LONG_EPOCH = ("experiment=smoke", "tracker=none", "data.train=1000", "model.width=128", "data.batch_size=2")
WAY_ON = f"To go on: actsweep resume {Path('outputs') / 'smoke'}"


def under_way(place: Path, *words: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A sweep in the midst of its trials, and all processes that it started."""
    sweep = start(place, "sweep", *words)
    wait_for(lambda: count(place / "outputs" / "smoke", "evaluation") >= 4, 90, sweep)
    return sweep, family(sweep.pid)


def ended_well(sweep: subprocess.Popen[str], children: list[psutil.Process]) -> None:
    out, errors = sweep.communicate(timeout=60)
    assert sweep.returncode == 130, out + errors
    assert WAY_ON in errors
    assert "Traceback" not in errors
    wait_for(lambda: not alive(children), 30)


def test_an_interrupted_sweep_says_how_to_go_on(actsweep: Command, tmp_path: Path) -> None:
    sweep, children = under_way(tmp_path, *MANY)
    sweep.send_signal(signal.SIGINT)
    ended_well(sweep, children)
    folder = tmp_path / "outputs" / "smoke"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    dry = actsweep("resume", "--dry-run", str(folder))
    assert dry.returncode == 0
    assert f"to go on: actsweep resume {folder}".replace(" ", "") in "".join(dry.stdout.split())
    assert "interrupted" in dry.stdout
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_further_interruptions_leave_at_once_and_no_process_behind(tmp_path: Path) -> None:
    """The second counts; those after it, by an impatient finger, come while it cleans up."""
    sweep, children = under_way(tmp_path, *MANY)
    while sweep.poll() is None:
        sweep.send_signal(signal.SIGINT)
        time.sleep(0.2)
    ended_well(sweep, children)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_do_the_same(tmp_path: Path, number: signal.Signals) -> None:
    sweep, children = under_way(tmp_path, *MANY)
    sweep.send_signal(number)
    ended_well(sweep, children)


@pytest.mark.slow
def test_no_epoch_is_waited_for(tmp_path: Path) -> None:
    sweep = start(tmp_path, "sweep", *ONE_LONG_EPOCH, "trainer.epochs=1", "data.augment=false")
    wait_for(lambda: count(tmp_path / "outputs" / "smoke", "evaluation") >= 2, 120, sweep)
    children = family(sweep.pid)
    began = count(tmp_path / "outputs" / "smoke", "finished")
    sweep.send_signal(signal.SIGINT)
    ended_well(sweep, children)
    assert count(tmp_path / "outputs" / "smoke", "finished") == began


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_the_study_has_begun_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    sweep = start(tmp_path, "sweep", *MANY)
    wait_for(lambda: any(child.name() in ("gcs_server", "raylet") for child in alive(family(sweep.pid))), 90, sweep)
    sweep.send_signal(number)
    children = family(sweep.pid)
    _, errors = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: not alive(children), 30)
