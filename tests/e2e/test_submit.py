import secrets
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import timeless
from leaks import command_lines, files_with
from processes import count, wait_for
from ray_head import Head

KEY = secrets.token_hex(20)  # in the environment of who submits
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def with_token(with_token: Head, monkeypatch: pytest.MonkeyPatch) -> Head:
    """Also with a key of W&B, which is nobody's."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    return with_token


@pytest.mark.skipif(" " in sys.executable, reason="Ray's own job server does not work from a path with a space")
@pytest.mark.timeout(300)
def test_a_submitted_sweep_gives_the_results_of_a_local_one(
    actsweep: Command, with_token: Head, smoke: Any, tmp_path: Path
) -> None:
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.address}", f"cluster.storage={tmp_path}")
    with command_lines() as lines:
        done = actsweep("submit", "--follow", *words, "tracker=none", timeout=240)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.startswith("submitted raysubmit_")
    assert "relu" in done.stdout
    assert timeless.curves(tmp_path / "smoke").equals(timeless.curves(smoke.folder))
    assert timeless.results(tmp_path / "smoke") == timeless.results(smoke.folder)
    described = with_token.described_jobs()
    assert "actsweep sweep" in described
    found = described, done.stdout, done.stderr, *(line.decode(errors="replace") for line in lines)
    assert not [text for text in found if with_token.token in text or KEY in text]
    assert files_with((with_token.token, KEY), tmp_path) == []


@pytest.mark.slow
@pytest.mark.skipif(" " in sys.executable, reason="Ray's own job server does not work from a path with a space")
@pytest.mark.timeout(900)
def test_the_quickstart_has_one_table_wherever_it_runs(actsweep: Command, with_token: Head, tmp_path: Path) -> None:
    words = ("experiment=quickstart", "tracker=none")
    cluster = (*words, "cluster=ray", f"cluster.address={with_token.gcs}", f"run.root={tmp_path}/cluster")
    job = (*words, "cluster=ray", f"cluster.address={with_token.address}", f"cluster.storage={tmp_path}/job")
    (tmp_path / "job").mkdir()
    assert actsweep("sweep", *words, f"run.root={tmp_path}/local", timeout=280).returncode == 0
    assert actsweep("sweep", *cluster, timeout=280).returncode == 0
    assert actsweep("submit", "--follow", *job, timeout=280).returncode == 0
    local, *others = (tmp_path / place / "quickstart" for place in ("local", "cluster", "job"))
    for other in others:
        assert timeless.curves(other).equals(timeless.curves(local))
        assert timeless.results(other) == timeless.results(local)


PLUGIN = """
import actsweep
from torch import nn

@actsweep.register_activation("twice_relu")
class TwiceReLU(nn.Module):
    def forward(self, z):
        return 2 * nn.functional.relu(z)
"""


@pytest.mark.skipif(" " in sys.executable, reason="Ray's own job server does not work from a path with a space")
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_job_is_listed_read_stopped_gone_on_with_and_fetched(
    actsweep: Command, with_token: Head, tmp_path: Path
) -> None:
    """A study with a plugin and settings of the user's own, from the submission to its folder here."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    chosen = "# @package _global_\ndefaults:\n  - smoke\nrun:\n  name: own\ntrainer:\n  epochs: 300\n"
    (tmp_path / "own" / "experiment" / "own.yaml").write_text(chosen)
    storage = tmp_path / "storage"
    place = ("cluster=ray", f"cluster.address={with_token.address}", f"cluster.storage={storage}", "tracker=none")
    own = ("--config-dir", "own", "experiment=own", "plugins=[mine]")
    arms = "study.scientific.model.activation=[relu,twice_relu]"
    nowhere = actsweep("submit", "--follow", *own, *place, arms, cwd=tmp_path)
    assert (nowhere.returncode, storage.exists()) == (1, False)
    assert f"cluster.storage={storage}: the node of the driver has no such folder" in nowhere.stdout
    storage.mkdir()
    sent = actsweep("submit", *own, *place, arms, "++run.root=elsewhere", cwd=tmp_path)
    assert sent.returncode == 0, sent.stderr
    job = sent.stdout.removeprefix("submitted ").strip()
    wait_for(lambda: count(storage / "own", "finished") >= 1, 200)
    listed = actsweep("jobs", cwd=tmp_path)
    assert [line.split()[:2] for line in listed.stdout.splitlines() if job in line] == [[job, "running"]]
    stopped = actsweep("stop", job, cwd=tmp_path)
    assert (stopped.returncode, f"{job} is stopped" in stopped.stdout) == (0, True), stopped.stderr
    assert "stopped; what has ended is kept. To go on: actsweep resume" in actsweep("logs", job, cwd=tmp_path).stdout
    assert actsweep("verify", str(storage / "own"), cwd=tmp_path).returncode == 0
    again = actsweep("submit", "--resume", "--follow", *own, *place, arms, cwd=tmp_path, timeout=240)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "twice_relu" in again.stdout
    last = again.stdout.splitlines()[0].removeprefix("submitted ")
    fetched = actsweep("fetch", last, cwd=tmp_path)
    assert (fetched.returncode, (tmp_path / "outputs" / "own" / "report.html").exists()) == (0, True), fetched.stderr
    assert actsweep("fetch", last, cwd=tmp_path).returncode == 0
    assert actsweep("verify", "outputs/own", cwd=tmp_path).returncode == 0


def test_what_is_no_job_is_refused_with_those_there_are(actsweep: Command, with_token: Head, tmp_path: Path) -> None:
    refused = actsweep("stop", "raysubmit_none", "--address", with_token.address, cwd=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "raysubmit_none: no job of ours has this id" in refused.stderr
    nowhere = actsweep("jobs", "--address", "10.0.0.5:6379", cwd=tmp_path)
    assert (nowhere.returncode, "--address: needs the address of a job server" in nowhere.stderr) == (2, True)


OTHER_RAY = "import sys, ray; ray.__version__ = '2.0.1'; from actsweep.cli import run; sys.exit(run(sys.argv[1:]))"


def test_a_cluster_of_another_ray_is_refused_with_both_versions(with_token: Head, tmp_path: Path) -> None:
    words = ("experiment=smoke", "cluster=ray", f"cluster.address={with_token.gcs}", f"run.root={tmp_path}")
    command = [sys.executable, "-c", OTHER_RAY, "sweep", *words]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert f"cluster.address={with_token.gcs}: Version mismatch" in refused.stderr
    assert all(f"Ray: {one}" in refused.stderr for one in (version("ray"), "2.0.1"))


def test_a_folder_of_settings_that_holds_images_is_too_large(
    actsweep: Command, with_token: Head, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    with (tmp_path / "own" / "images.tar").open("wb") as file:
        file.truncate(101 * 2**20)
    place = ("cluster=ray", f"cluster.address={with_token.address}", f"cluster.storage={tmp_path}")
    refused = actsweep("submit", "--config-dir", "own", "experiment=smoke", *place, cwd=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "has 101 MiB, and a job takes 100" in refused.stderr


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
