import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import timeless
from leaks import command_lines, files_with

KEY = secrets.token_hex(20)  # in the environment of who submits
Command = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Head:
    """A running cluster of one node: the address of its job server, and what its users have in their environment."""

    address: str
    token: str


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def job_descriptions(head: Head) -> str:
    """All that the job server tells about its jobs."""
    request = urllib.request.Request(f"{head.address}/api/jobs/", headers={"Authorization": f"Bearer {head.token}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(response.read().decode())


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    port, dashboard, token = free_port(), free_port(), secrets.token_hex(32)
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    words = ["start", "--head", "--block", "--num-cpus=2", "--node-ip-address=127.0.0.1", f"--port={port}"]
    words += ["--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    # Jobs go through this agent; by default its port is the same for every Ray of a machine.
    words += [f"--dashboard-agent-listen-port={free_port()}"]
    log = tmp_path_factory.mktemp("head") / "log"
    with log.open("w") as output:
        process = subprocess.Popen([str(tools / "ray"), *words], env=environment, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 90
            while not answers(f"http://127.0.0.1:{dashboard}"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield Head(f"http://127.0.0.1:{dashboard}", token)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


@pytest.fixture
def with_token(head: Head, monkeypatch: pytest.MonkeyPatch) -> Head:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    return head


def described_jobs(head: Head) -> str:
    """All that the job server tells of its jobs: their command lines, environments and metadata."""
    headers = {"Authorization": f"Bearer {head.token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{head.address}/api/jobs/", headers=headers)) as response:
        told = response.read().decode()
    assert "entrypoint" in told
    return str(told)


@pytest.mark.skipif(" " in sys.executable, reason="Ray's own job server does not work from a path with a space")
@pytest.mark.timeout(300)
def test_a_submitted_sweep_gives_the_results_of_a_local_one(
    actsweep: Command, with_token: Head, smoke: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = secrets.token_hex(20)
    monkeypatch.setenv("WANDB_API_KEY", key)
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.address}", f"cluster.storage={tmp_path}")
    with command_lines() as lines:
        done = actsweep("submit", "--follow", *words, "tracker=none", timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("submitted raysubmit_")
    assert "relu" in done.stdout
    assert timeless.curves(tmp_path / "smoke").equals(timeless.curves(smoke.folder))
    assert timeless.results(tmp_path / "smoke") == timeless.results(smoke.folder)
    found = described_jobs(with_token), done.stdout, done.stderr, *(line.decode(errors="replace") for line in lines)
    assert not [text for text in found if with_token.token in text or KEY in text]
    assert files_with((with_token.token, KEY), tmp_path) == []
    described = job_descriptions(with_token)
    assert "actsweep sweep" in described
    assert not [secret for secret in (key, with_token.token) if secret in described + done.stdout + done.stderr]


def test_without_a_token_a_cluster_off_loopback_is_not_used(actsweep: Command, tmp_path: Path) -> None:
    for command, address in (("sweep", "203.0.113.5:6379"), ("submit", "http://203.0.113.5:8265")):
        words = ("experiment=smoke", "cluster=ray", f"cluster.address={address}", f"cluster.storage={tmp_path}")
        refused = actsweep(command, *words, cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert f"cluster.address={address}" in refused.stderr
        assert "RAY_AUTH_MODE=token" in refused.stderr


def test_without_its_token_a_cluster_takes_no_job(
    actsweep: Command, head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={head.address}", f"cluster.storage={tmp_path}")
    refused = actsweep("submit", *words)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert f"cluster.address={head.address}" in refused.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "submit needs cluster=ray and cluster.address=http://HOST:8265"),
        (("cluster=ray",), "submit needs cluster=ray and cluster.address=http://HOST:8265"),
        (("cluster=ray", "cluster.address=http://127.0.0.1:9"), "submit needs cluster.storage"),
        (("cluster=ray", "cluster.address=http://127.0.0.1:9", "cluster.storage=x"), "no job server answers"),
        (("experiment=smoke", "model.activation=gelu"), "is swept in this study"),
    ],
)
def test_what_cannot_be_submitted_is_refused(actsweep: Command, words: tuple[str, ...], message: str) -> None:
    refused = actsweep("submit", *words)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
