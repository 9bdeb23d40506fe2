"""Random secrets in the environment of whole commands, and where they are found afterwards: nowhere."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from leaks import command_lines, files_with, shown
from servers import answering
from sockets import Listening, listening

KEY, TOKEN, OTHER = (secrets.token_hex(20) for _ in range(3))
CANARIES = (KEY, TOKEN, OTHER)
HELD = {"WANDB_API_KEY": KEY, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "BUCKET_SECRET": OTHER}
PLUGIN = """
import os
import actsweep
from torch import nn

@actsweep.register_activation("leaky_mouth")
class LeakyMouth(nn.Module):
    def forward(self, z):
        mine = os.environ["WANDB_API_KEY"], os.environ["BUCKET_SECRET"], os.environ["RAY_AUTH_TOKEN"]
        raise ValueError(f"no login with {mine} at https://ann:pass@host.invalid/")
"""


@dataclass(frozen=True)
class Ran:
    """A command that ended, where it was called, and the command lines and sockets that were seen meanwhile."""

    code: int
    place: Path
    lines: set[bytes]
    sockets: set[Listening]

    @property
    def printed(self) -> str:
        return (self.place / "printed").read_text()


def run(place: Path, *words: str, **variables: str) -> Ran:
    """A command with secrets in its environment, a home of its own, and files that are for its user alone."""
    (place / "home").mkdir()
    command = [sys.executable, "-m", "actsweep", *words]
    environment = os.environ | HELD | variables | {"HOME": str(place / "home")}
    sockets: set[Listening] = set()
    with (
        command_lines() as lines,
        (place / "printed").open("w") as printed,
        subprocess.Popen(command, cwd=place, env=environment, stdout=printed, stderr=printed, umask=0o077) as running,
    ):
        deadline = time.monotonic() + 240
        while running.poll() is None:
            sockets |= listening(running.pid)
            assert time.monotonic() < deadline
            time.sleep(0.2)
    return Ran(running.returncode, place, lines, sockets)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A sweep of which one arm shouts secrets and fails, with all messages on, so that Ray's logs stay too."""
    place = tmp_path_factory.mktemp("failing")
    (place / "mouth.py").write_text(PLUGIN)
    words = ("plugins=[mouth]", "study.scientific.model.activation=[relu,leaky_mouth]", "tracker=wandb_offline")
    return run(place, "sweep", "--debug", "experiment=smoke", *words)


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestFailingSweep:
    def test_the_trials_failed_and_say_why(self, failing: Ran) -> None:
        assert failing.code == 1, failing.printed
        ledger = (failing.place / "outputs" / "smoke" / "ledger.jsonl").read_text()
        assert "no login with ('[redacted]', '[redacted]', '[redacted]') at https://[redacted]@host.invalid/" in ledger

    def test_no_file_of_the_study_or_the_home_holds_a_secret(self, failing: Ran) -> None:
        assert list(failing.place.glob("outputs/smoke/wandb/*/*.wandb"))
        assert files_with(CANARIES, failing.place) == []

    def test_no_other_user_can_enter_the_study_where_the_umask_says_so(self, failing: Ran) -> None:
        assert (failing.place / "outputs").stat().st_mode & 0o077 == 0

    def test_all_sockets_are_on_loopback_and_none_is_of_wandb(self, failing: Ran) -> None:
        assert any("wandb-core" in line.decode(errors="replace") for line in failing.lines)
        assert {"gcs_server", "raylet"} <= {one.process for one in failing.sockets}
        assert "wandb-core" not in {one.process for one in failing.sockets}
        assert [one for one in failing.sockets if not one.on_loopback] == []

    def test_no_secret_is_printed(self, failing: Ran) -> None:
        assert not shown(failing.printed, CANARIES)

    def test_no_file_of_ray_holds_a_secret(self, failing: Ran) -> None:
        (folder,) = map(Path, re.findall(r"Ray's own logs: (.*)", failing.printed))
        assert list(folder.rglob("*.log"))
        assert files_with(CANARIES, folder) == []
        shutil.rmtree(folder.parent)

    def test_no_command_line_holds_a_secret(self, failing: Ran) -> None:
        assert any(b"raylet" in line for line in failing.lines)
        assert not [line for line in failing.lines if any(secret.encode() in line for secret in CANARIES)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_that_refuses_the_key_does_not_spread_it(tmp_path: Path) -> None:
    with answering(401) as address:
        ran = run(tmp_path, "sweep", "experiment=smoke", "tracker=wandb_online", WANDB_BASE_URL=address)
    assert ran.code == 0, ran.printed
    assert "W&B: not whole" in ran.printed
    assert not shown(ran.printed, CANARIES)
    assert files_with(CANARIES, tmp_path) == []
    assert not [line for line in ran.lines if KEY.encode() in line]


@pytest.mark.parametrize(
    "words",
    [
        (f"tracker.project={KEY}",),
        (f"tracker.entity=team-{KEY}",),
        (f"run.name={OTHER}",),
        (f"+extra={KEY}",),
        (f"++wandb.api_key={KEY}",),
        (f"data.root=https://ann:{KEY}@host.invalid/",),
        ("cluster=ray", f"cluster.address=http://ann:{TOKEN}@127.0.0.1:9"),
        (f"plugins=[{KEY}]",),
    ],
)
def test_a_secret_in_the_settings_is_refused_unseen(words: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(tmp_path, "plan", "experiment=smoke", *words)
    assert ran.code == 2, ran.printed
    assert not shown(ran.printed, CANARIES)
    assert "Traceback" not in ran.printed
    assert files_with(CANARIES, tmp_path) == []
