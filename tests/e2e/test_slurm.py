"""The script for Slurm, by a real Slurm of two nodes on this machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import timeless
from processes import count, wait_for
from sockets import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.getuid() != 0, reason="only root may run Slurm's daemons"),
]

ROOT = Path(__file__).parents[2]
SETTINGS = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge/socket
CredType=cred/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool.%n
SlurmctldPidFile={place}/controller.pid
SlurmdPidFile={place}/node.%n.pid
SlurmctldLogFile={place}/controller.log
SlurmdLogFile={place}/node.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=1000
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=1000
PartitionName=main Nodes=one,two Default=YES State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A running Slurm."""

    place: Path

    def __call__(self, *words: str) -> str:
        """What one of its commands prints."""
        environment = {**os.environ, "SLURM_CONF": str(self.place / "slurm.conf")}
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def submit(self, *words: str) -> str:
        """Submit our script for both nodes; the job's number."""
        place = f"--export=ALL,ACTSWEEP_BIN={Path(sys.executable).parent}"
        output = f"--output={self.place}/job-%j.log"
        return self("sbatch", "--parsable", "--nodes=2", "--time=10", place, output, "scripts/slurm.sbatch", *words)

    def said(self, job: str) -> str:
        """What a job has written so far."""
        return (self.place / f"job-{job}.log").read_text()

    def ended(self, job: str) -> bool:
        """Whether a job is over."""
        return job not in self("squeue", "--noheader", "--format=%i").split()


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    needed = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client", "munged": "munge"}
    missing = [package for tool, package in needed.items() if shutil.which(tool) is None]
    if missing:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", *missing], check=True, timeout=300)
    place = tmp_path / "slurm"
    for name in ("state", "spool.one", "spool.two", "munge"):
        (place / name).mkdir(parents=True)
    key = place / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    ports = [free_port() for _ in range(3)]
    (place / "slurm.conf").write_text(SETTINGS.format(host=socket.gethostname(), ports=ports, place=place))
    files = [f"--{name}-file={place}/munge/{name}" for name in ("key", "pid", "log", "seed")]
    daemons = [
        ["munged", "--foreground", "--force", f"--socket={place}/munge/socket", *files],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "one"],
        ["slurmd", "-D", "-N", "two"],
    ]
    environment = {**os.environ, "SLURM_CONF": str(place / "slurm.conf")}
    running = []
    with ExitStack() as stack:
        for number, daemon in enumerate(daemons):
            log = stack.enter_context((place / f"daemon-{number}.log").open("w"))
            running.append(subprocess.Popen(daemon, env=environment, stdout=log, stderr=log))
            if number == 0:
                wait_for((place / "munge" / "socket").exists, 20)
        found = Slurm(place)
        try:
            wait_for(lambda: found("sinfo", "--noheader", "--format=%t").split() == ["idle"], 30)
            yield found
        finally:
            for process in reversed(running):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)


def ray_folders() -> set[str]:
    return {path.name for path in Path("/tmp").glob("ray-??????")}


def test_a_job_that_runs_out_of_time_is_gone_on_with_by_the_same_command(
    slurm: Slurm, actsweep: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("experiment=smoke", "trainer.epochs=40", "tracker=none")
    folder, before = tmp_path / "studies" / "smoke", ray_folders()
    asked = (*words, f"run.root={folder.parent}")
    first = slurm.submit(*asked)
    wait_for(lambda: (folder / "ledger.jsonl").exists() and count(folder, "finished") >= 2, 150)
    slurm("scancel", "--signal=TERM", "--batch", first)  # what Slurm does before the time is up
    wait_for(lambda: slurm.ended(first), 90)
    assert "stopped; what has ended is kept. To go on: actsweep resume" in slurm.said(first)
    done = count(folder, "finished")
    assert 2 <= done < 8
    second = slurm.submit(*asked)
    wait_for(lambda: slurm.ended(second), 250)
    assert f"report   {folder}/report.html" in slurm.said(second), slurm.said(second)
    assert count(folder, "finished") == 8
    assert ray_folders() == before
    assert actsweep("sweep", *words, cwd=tmp_path, timeout=200).returncode == 0
    assert timeless.results(folder) == timeless.results(tmp_path / "outputs" / "smoke")
