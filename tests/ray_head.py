"""A Ray cluster of one node on this machine that is not a sweep's own: started for a test, with a token, and ended."""

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sockets import free_port


@dataclass(frozen=True)
class Head:
    """A running cluster.

    Attributes:
        address: of its job server.
        gcs: its own address, for drivers.
        token: what its users have in their environment.
        process: what `ray start --block` runs in.
    """

    address: str
    gcs: str
    token: str
    process: psutil.Process

    @property
    def environment(self) -> dict[str, str]:
        """What its users have in their environment."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}

    def described_jobs(self) -> str:
        """All that the job server tells of its jobs: their command lines, environments and metadata."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.address}/api/jobs/", headers=headers)) as response:
            return str(response.read().decode())


@contextmanager
def ray_head(log: Path, **variables: str) -> Iterator[Head]:
    """A cluster of two logical CPUs for the length of the block; what it says goes to `log`."""
    port, dashboard, token = free_port(), free_port(), secrets.token_hex(32)
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        **variables,
    }
    words = ["start", "--head", "--block", "--num-cpus=2", "--node-ip-address=127.0.0.1", f"--port={port}"]
    words += ["--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    # Jobs go through this agent; by default its port is the same for every Ray of a machine.
    words += [f"--dashboard-agent-listen-port={free_port()}"]
    address = f"http://127.0.0.1:{dashboard}"
    with log.open("w") as output:
        process = subprocess.Popen([str(tools / "ray"), *words], env=environment, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 90
            while not answers(address):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield Head(address, f"127.0.0.1:{port}", token, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


@contextmanager
def joined(head: Head, ip: str, log: Path, *before: str, gpus: int = 0, **variables: str) -> Iterator[psutil.Process]:
    """A further node of a cluster for the length of the block, of four logical CPUs, at its own address of loopback.

    `before` are the words of a command that runs it; `gpus` are logical ones.
    """
    tools = Path(sys.executable).parent
    environment = {**os.environ, **head.environment, **variables, "RAY_USAGE_STATS_ENABLED": "0"}
    environment["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    words = [
        "start",
        "--block",
        f"--address={head.gcs}",
        "--num-cpus=4",
        f"--num-gpus={gpus}",
        f"--node-ip-address={ip}",
    ]
    words += [f"--dashboard-agent-listen-port={free_port()}"]
    with log.open("w") as output:
        command = [*before, str(tools / "ray"), *words]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 90
            while "Ray runtime started" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield psutil.Process(process.pid)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
