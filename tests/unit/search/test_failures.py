"""Why a worker ended; texts of Ray are quoted as it writes them."""

import pytest

from actsweep.search.failures import reason_of_end

KILLED = (
    "The actor died because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker "
    "unexpectedly exits with a connection error code 2. End of file. There are some potential root causes. (1) The "
    "process is killed by SIGKILL by OOM killer due to high memory usage. (2) ray stop --force is called."
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (KILLED, "lost"),  # any SIGKILL reads so
        ("", "lost"),
        ("1 worker(s) were killed due to the node running low on memory.", "memory"),
        ("ray.exceptions.OutOfDiskError: Local disk is full", "disk"),
    ],
)
def test_the_reason_of_a_workers_end(said: str, reason: str) -> None:
    assert reason_of_end(said) == reason
