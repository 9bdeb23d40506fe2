"""A node of a cluster that is lost while a job runs a study on it: trials go on elsewhere, and none counts twice."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from actsweep.events import TrialFailed
from chaos.evidence import (
    FOLDER,
    STUDY,
    Command,
    check_like,
    check_no_epoch_trained_twice,
    events_of,
    outcome_of,
    trained_again,
)
from processes import alive, count, kill, start, wait_for
from ray_head import joined, ray_head

# With these Ray's head notices within a quarter of a minute that a node is gone; by default it takes a minute.
QUICK = {
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "4",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "15",
}
# Ray's files are each node's own, as on other machines: else a second node would put a job's folder there anew.
OWN_FILES = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /tmp/ray && exec "$0" "$@"')
HALF_A_GPU = ("cluster.resources.cpu=0.5", "cluster.resources.gpu=0.5")


def busy(node: psutil.Process) -> set[int]:
    """The processes that train on a node."""
    found = alive(node.children(recursive=True))
    return {one.pid for one in found if one.name().startswith("ray::") and "Trial" in one.name()}


@pytest.mark.slow
@pytest.mark.skipif(" " in sys.executable, reason="Ray's own job server does not work from a path with a space")
@pytest.mark.timeout(600)
def test_a_study_that_loses_a_node_has_the_results_of_one_that_did_not(
    undisturbed: Path, tmp_path: Path, actsweep: Command, record_property: Callable[[str, object], None]
) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("a mount namespace cannot be made here")
    folder = tmp_path / FOLDER
    with ExitStack() as stack:
        head = stack.enter_context(ray_head(tmp_path / "head.log", **QUICK))
        first, second = (
            stack.enter_context(joined(head, f"127.0.0.{n}", tmp_path / f"node{n}.log", *OWN_FILES, gpus=1))
            for n in (2, 3)
        )
        folder.parent.mkdir(parents=True)
        place = ("cluster=ray", f"cluster.address={head.address}", f"cluster.storage={folder.parent}")
        running = start(tmp_path, "submit", "--follow", *STUDY, *place, *HALF_A_GPU, **head.environment)
        seen: list[tuple[int, int]] = []

        def both_are_busy() -> bool:
            seen.append((len(busy(first)), len(busy(second))))
            return min(seen[-1]) > 0 and count(folder, "finished") >= 2

        wait_for(both_are_busy, 200, running)
        kill([*second.children(recursive=True), second])
        killed = time.monotonic()
        wait_for(lambda: count(folder, "failed") >= 1, 60, running)
        record_property("noticed after, seconds", time.monotonic() - killed)
        code, errors = outcome_of(running, 400)
    assert (code, errors) == (0, "")
    assert max(max(counts) for counts in seen) == 2  # halves of a GPU: never a third
    lost = [event for event in events_of(folder) if isinstance(event, TrialFailed)]
    record_property("lost attempts", len(lost))
    record_property("measured again", trained_again(folder))
    assert {event.reason for event in lost} == {"lost"}
    assert 1 <= len(lost) <= 2
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)
