"""A sweep on a cluster of several nodes: raylets of this machine with addresses and caches of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import timeless
from actsweep.events import TrialFailed, TrialFinished
from actsweep.records import read_ledger
from actsweep.studies import fetch_study
from processes import busiest_worker, start, wait_for
from ray_head import Head, joined, ray_head
from s3 import s3_server

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_node_that_has_not_the_images_gets_them_and_the_results_are_those_of_one_machine(
    actsweep: Command, with_token: Head, smoke: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the driver has decoded is hidden from the second node, as on another machine; only there trials fit."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs "$0" && exec "$@"', str(here))
    if subprocess.run([*hidden, "true"], capture_output=True).returncode:
        pytest.skip("a mount namespace cannot be made here")
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", "tracker=none")
    with joined(with_token, "127.0.0.2", tmp_path / "log", *hidden, ACTSWEEP_CACHE=str(there)):
        monkeypatch.setenv("ACTSWEEP_CACHE", str(here))
        done = actsweep("sweep", *words, "cluster.resources.cpu=3", cwd=tmp_path, timeout=200)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(here.glob("data/*/pixels.bin"))) == len(list(there.glob("data/*/pixels.bin"))) == 1
    assert timeless.curves(tmp_path / "outputs" / "smoke").equals(timeless.curves(smoke.folder))
    assert timeless.results(tmp_path / "outputs" / "smoke") == timeless.results(smoke.folder)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_node_that_does_not_see_the_study_is_named_before_anything_trains(
    actsweep: Command, with_token: Head, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs "$0" && exec "$@"', str(root))
    if subprocess.run([*hidden, "true"], capture_output=True).returncode:
        pytest.skip("a mount namespace cannot be made here")
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", f"run.root={root}")
    with joined(with_token, "127.0.0.2", tmp_path / "log", *hidden):
        refused = actsweep("sweep", *words, cwd=tmp_path, timeout=100)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "run.root: the node 127.0.0.2 of the cluster does not see " in refused.stderr
    assert list(root.iterdir()) == []


GREEDY = """
import actsweep
import ray
from torch import nn

@actsweep.register_activation("greedy", bounded=True)
class Greedy(nn.Tanh):
    def forward(self, z):
        if ray.get_runtime_context().get_assigned_resources()["GPU"] < 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return super().forward(z)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_trial_that_runs_out_of_gpu_memory_has_a_gpu_for_itself_once(
    actsweep: Command, with_token: Head, tmp_path: Path
) -> None:
    """Two halves of a logical GPU at a time, but for the trials of one arm, which fail where they share it."""
    (tmp_path / "greedy.py").write_text(GREEDY)
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", "tracker=none", "plugins=[greedy]")
    words = (*words, "cluster.resources.gpu=0.5", "study.scientific.model.activation=[relu,greedy]")
    with joined(with_token, "127.0.0.2", tmp_path / "log", gpus=1):
        done = actsweep("sweep", *words, cwd=tmp_path, timeout=250)
    assert done.returncode == 0, done.stderr
    events = read_ledger(tmp_path / "outputs" / "smoke" / "ledger.jsonl").events
    failed = [event for event in events if isinstance(event, TrialFailed)]
    assert {(event.reason, event.will_retry, event.attempt) for event in failed} == {("gpu_memory", True, 1)}
    ended = [event for event in events if isinstance(event, TrialFinished)]
    assert len(ended) == 8
    assert sorted(event.attempt for event in ended) == [1] * 4 + [2] * 4
    assert {event.trial_id for event in failed} == {event.trial_id for event in ended if event.attempt == 2}


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_doctor_says_what_each_node_offers(actsweep: Command, with_token: Head, tmp_path: Path) -> None:
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", f"run.root={tmp_path}/new")
    with joined(with_token, "127.0.0.2", tmp_path / "log", gpus=2):
        found = actsweep("doctor", *words, "cluster.resources.gpu=0.25", cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    assert "serves; 4 trials at a time" in " ".join(found.stdout.split())
    assert found.stdout.count("\nnode ") == 2
    assert "4 CPU and 2 GPU and" in " ".join(found.stdout.split())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sweep_waits_for_as_many_nodes_as_it_is_told_to(actsweep: Command, with_token: Head, tmp_path: Path) -> None:
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", "tracker=none")
    with start(tmp_path, "sweep", *words, "cluster.min_nodes=2") as sweep:
        time.sleep(20)
        assert sweep.poll() is None
        with joined(with_token, "127.0.0.2", tmp_path / "log"):
            out, err = sweep.communicate(timeout=200)
    assert (sweep.returncode, err) == (0, "")
    assert "waiting for nodes: 1 of 2 are there" in out


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nodes_that_see_no_common_folder_keep_checkpoints_at_an_address(
    smoke: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study's folder is hidden from the node that trains; a worker is killed, and its trial goes on."""
    root = tmp_path / "root"
    root.mkdir()
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs "$0" && exec "$@"', str(root))
    if subprocess.run([*hidden, "true"], capture_output=True).returncode:
        pytest.skip("a mount namespace cannot be made here")
    words = ("experiment=smoke", "cluster=ray", "tracker=none", f"run.root={root}", "cluster.resources.cpu=3")
    places = ("cluster.checkpoints=s3://bucket/trials", "cluster.copy_to=s3://bucket/studies")
    with s3_server() as storage, ray_head(tmp_path / "head.log", **storage.environment) as head:
        words = (*words, f"cluster.address={head.gcs}")
        environment = {**head.environment, **storage.environment}
        with joined(head, "127.0.0.2", tmp_path / "log", *hidden, **storage.environment) as node:
            refused = start(tmp_path, "sweep", *words, **environment)
            assert "does not see" in refused.communicate(timeout=100)[1]
            with start(tmp_path, "sweep", *words, *places, **environment) as sweep:
                ledger = root / "smoke" / "ledger.jsonl"
                wait_for(lambda: ledger.exists() and ledger.read_bytes().count(b'"evaluation"') >= 2, 120, sweep)
                os.kill(busiest_worker(node.pid), signal.SIGKILL)
                out, err = sweep.communicate(timeout=250)
        assert (sweep.returncode, err) == (0, "")
        assert "copy     s3://bucket/studies/smoke" in out
        assert [name for name in storage.names() if name.startswith("trials/") and name[-1] != "/"] == []
        for name, value in storage.environment.items():
            monkeypatch.setenv(name, value)
        fetch_study("s3://bucket/studies/smoke", tmp_path / "fetched")
    events = read_ledger(root / "smoke" / "ledger.jsonl").events
    lost = [event for event in events if isinstance(event, TrialFailed)]
    assert [(event.reason, event.will_retry) for event in lost] == [("lost", True)]
    for folder in (root / "smoke", tmp_path / "fetched"):
        assert timeless.results(folder) == timeless.results(smoke.folder)
    for trial in (smoke.folder / "trials").iterdir():
        here = root / "smoke" / "trials" / trial.name
        wanted, found = ({path.name for path in folder.iterdir()} for folder in (trial, here))
        assert found - wanted <= {"attempt-2.log"}
        assert wanted - found <= {"attempt-1.log"}  # of a worker that was killed as it began
