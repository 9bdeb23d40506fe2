"""SIGKILL of workers, several in one run, and of Ray's own processes, each at a random moment."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.events import TrialFailed
from chaos.evidence import (
    FOLDER,
    STUDY,
    Command,
    check_gone,
    check_like,
    check_no_epoch_trained_twice,
    events_of,
    outcome_of,
    resume,
    trained_again,
)
from processes import count, family, kill, start, wait_for, workers
from ray_head import ray_head

KILLED = 4


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("side_by_side", [1, 3])
def test_a_study_whose_workers_are_killed_has_the_same_results(
    side_by_side: int,
    actsweep: Command,
    undisturbed: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder, chance = tmp_path / FOLDER, random.Random(4)
    running = start(tmp_path, "sweep", *STUDY, f"cluster.side_by_side={side_by_side}")
    for _ in range(KILLED):
        before = count(folder, "evaluation")
        wait_for(lambda: count(folder, "evaluation") > before, 120, running)  # noqa: B023 - called in this turn alone
        time.sleep(chance.uniform(0, 1.5))
        kill([chance.choice(workers(running.pid))])
    code, errors = outcome_of(running, 300)
    lost = [event for event in events_of(folder) if isinstance(event, TrialFailed)]
    record_property("ended with", code)
    record_property("lost attempts", len(lost))
    record_property("measured again", trained_again(folder))
    assert 1 <= len(lost) <= KILLED * side_by_side
    assert {event.reason for event in lost} == {"lost"}
    assert code == (0 if all(event.will_retry for event in lost) else 1), errors
    resume(actsweep, folder)
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("name", ["raylet", "gcs_server"])
def test_a_study_that_loses_a_process_of_ray_says_so_and_goes_on_to_the_same_results(
    name: str,
    actsweep: Command,
    undisturbed: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / FOLDER
    running = start(tmp_path, "sweep", *STUDY)
    wait_for(lambda: count(folder, "evaluation") > 20, 120, running)
    everyone = family(running.pid)
    kill([one for one in everyone if one.name() == name])
    began = time.monotonic()
    code, errors = outcome_of(running, 150)
    record_property("ended with", code)
    record_property("after seconds", round(time.monotonic() - began, 1))
    record_property("said", errors)
    assert code in (1, 130)
    assert errors.startswith("actsweep: ")
    assert f"actsweep resume {FOLDER}" in errors
    check_gone(everyone)
    resume(actsweep, folder)
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.skipif(" " in sys.executable, reason="Ray's own tools do not work from a path with a space")
def test_a_study_whose_cluster_loses_its_head_says_so_and_goes_on_elsewhere(
    actsweep: Command, undisturbed: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folder = tmp_path / FOLDER
    with ray_head(tmp_path / "log") as head:
        where = "cluster=ray", f"cluster.address={head.gcs}"
        running = start(tmp_path, "sweep", *STUDY, *where, **head.environment)
        wait_for(lambda: count(folder, "evaluation") > 20, 120, running)
        kill([one for one in head.process.children() if one.name() == "gcs_server"])
        began = time.monotonic()
        code, errors = outcome_of(running, 150)
    record_property("after seconds", round(time.monotonic() - began, 1))
    assert code == 130
    assert errors.startswith("actsweep: stopped: the head of the Ray cluster")
    assert errors.endswith(f"To go on: actsweep resume {FOLDER}\n")
    assert errors.count("\n") == 1
    elsewhere = actsweep("sweep", *STUDY, cwd=tmp_path, timeout=240)
    assert elsewhere.returncode == 0, elsewhere.stderr
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)
