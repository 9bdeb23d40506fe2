"""Ray as `actsweep.cluster` uses it."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

OWN = """
from actsweep.cluster import connected
from actsweep.settings import ClusterSettings, ResourceSettings
settings = ClusterSettings(
    name="local", address=None, max_concurrent=None, retries=2, storage=None, side_by_side=1,
    resources=ResourceSettings(cpu=1.0, gpu=0.0),
)
"""
FULL = f"""{OWN}
import time
import actsweep.cluster.room as room
room.PATIENCE_SECONDS, room.LOOK_SECONDS = 0.5, 0.1
import ray
with connected(settings):
    cores = int(ray.cluster_resources()["CPU"])
    holder = ray.remote(num_cpus=cores)(lambda: time.sleep(600)).remote()
    while ray.available_resources().get("CPU"):
        time.sleep(0.1)
    busy = False
    with room.told_when_full(settings.resources, lambda: busy, print):
        time.sleep(2)
        busy = True
        time.sleep(1)
"""
TWICE = f"""{OWN}
for _ in range(2):
    with connected(settings) as capacity:
        print(capacity.nodes)
"""
LOOK = f"""
import ray  # as a plugin would
{OWN}
import json, os, urllib.error, urllib.request
from pathlib import Path
import numpy as np
from sockets import listening

def asked(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{{port}}/", timeout=5) as answer:
            return "measurements" if answer.read().startswith(b"# HELP") else "an answer"
    except urllib.error.HTTPError as error:
        return "refused" if error.code in (401, 403) else str(error)
    except OSError:
        return "no HTTP"

@ray.remote
def hold():
    return os.environ["RAY_AUTH_TOKEN"]

with connected(settings):
    tokens = {{ray.get(hold.remote())}}
    sockets = listening(os.getpid())
    folder = Path(ray._private.worker._global_node.get_session_dir_path()).parents[1]
    objects = [ray.put(np.zeros(40 * 2**20, dtype=np.uint8)) for _ in range(10)]
    intact = all(len(ray.get(one)) == 40 * 2**20 for one in objects)
    spilled = sum(file.stat().st_size for file in folder.rglob("ray_spilled_objects*/*"))
    written = [file for file in folder.rglob("*") if file.is_file()]
    print(json.dumps({{
        "off_loopback": [str(one) for one in sockets if not one.on_loopback],
        "processes": sorted({{one.process for one in sockets}}),
        "folder": str(folder),
        "mode": folder.stat().st_mode & 0o777,
        "intact": intact,
        "spilled": spilled,
        "holding_the_token": [str(file) for file in written if any(t.encode() in file.read_bytes() for t in tokens)],
        "strangers": [asked(one.port) for one in sockets if one.kind == "tcp"],
    }}))
"""


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}
    environment = os.environ | paths | variables
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, env=environment)


def test_one_process_can_start_a_cluster_of_its_own_again() -> None:
    done = run(TWICE)
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_a_sweep_that_finds_no_room_says_so_once_and_when_there_is_some_again() -> None:
    done = run(FULL)
    waiting, goes_on = done.stdout.splitlines()
    assert waiting.startswith("waiting for room on the cluster: a trial takes 1 CPU; 0 CPU free of ")
    assert goes_on == "the cluster has room again: a trial runs", done.stderr


def test_folders_of_commands_that_were_killed_go_and_those_of_running_ones_stay() -> None:
    abandoned, held = (Path(tempfile.mkdtemp(prefix="actsweep-ray-", dir="/tmp")) for _ in range(2))
    lock = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(TWICE).returncode == 0
        assert (abandoned.exists(), held.exists()) == (False, True)
    finally:
        os.close(lock)
        held.rmdir()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a cluster of one's own shows of itself, started by a process that had imported Ray before."""
    home = tmp_path_factory.mktemp("home")
    done = run(LOOK, HOME=str(home))
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "home": home}


class TestOwnCluster:
    def test_listens_on_loopback_alone(self, seen: dict[str, Any]) -> None:
        assert {"gcs_server", "raylet"} <= set(seen["processes"])
        assert seen["off_loopback"] == []

    def test_keeps_its_files_where_no_other_user_can_look_and_takes_them_away(self, seen: dict[str, Any]) -> None:
        assert seen["mode"] == 0o700
        assert not Path(seen["folder"]).exists()

    def test_writes_its_token_nowhere(self, seen: dict[str, Any]) -> None:
        assert seen["holding_the_token"] == []
        assert not (seen["home"] / ".ray").exists()

    def test_gives_strangers_nothing_but_measurements(self, seen: dict[str, Any]) -> None:
        assert "refused" in seen["strangers"]
        assert set(seen["strangers"]) <= {"refused", "measurements", "no HTTP"}

    def test_spills_into_its_folder_what_memory_does_not_hold(self, seen: dict[str, Any]) -> None:
        assert seen["intact"]
        assert seen["spilled"] > 0
