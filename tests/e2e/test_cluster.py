"""A sweep on a cluster of several nodes: raylets of this machine with addresses and caches of their own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import timeless
from ray_head import Head, joined, ray_head

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    with ray_head(tmp_path_factory.mktemp("head") / "log") as running:
        yield running


@pytest.fixture
def with_token(head: Head, monkeypatch: pytest.MonkeyPatch) -> Head:
    for name, value in head.environment.items():
        monkeypatch.setenv(name, value)
    return head


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
