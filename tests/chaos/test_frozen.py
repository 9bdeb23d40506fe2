"""Processes that are stopped for longer than any patience, and then go on as if nothing had been."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from chaos.evidence import (
    FOLDER,
    STUDY,
    Command,
    check_like,
    check_no_epoch_trained_twice,
    outcome_of,
    resume,
    trained_again,
)
from processes import busiest_worker, count, family, start, wait_for


def worker(driver: int) -> int:
    return busiest_worker(driver)


def raylet(driver: int) -> int:
    return next(one.pid for one in family(driver) if one.name() == "raylet")


def driver(driver: int) -> int:
    return driver


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize(("which", "seconds"), [(worker, 40), (raylet, 40), (driver, 20)])
def test_a_process_that_was_frozen_and_comes_back_changes_nothing(
    which: Callable[[int], int],
    seconds: float,
    actsweep: Command,
    undisturbed: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / FOLDER
    running = start(tmp_path, "sweep", *STUDY)
    wait_for(lambda: count(folder, "evaluation") > 20, 120, running)
    frozen = psutil.Process(which(running.pid))
    frozen.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    if frozen.is_running():
        frozen.send_signal(signal.SIGCONT)
    code, errors = outcome_of(running, 240)
    record_property("ended with", code)
    record_property("said", errors)
    record_property("measured again", trained_again(folder))
    if which is raylet:  # a node that does not answer counts as lost
        assert code in (0, 1, 130), errors
    else:
        assert code == 0, errors
    resume(actsweep, folder)
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)
