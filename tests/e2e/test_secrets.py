"""What a sweep lets out: sockets on loopback alone, and no secret anywhere."""

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from processes import alive, family, start

LOUD_PLUGIN = """
import os

import torch

from actsweep.plugins import register_model


@register_model("loud")
def loud(settings, image_shape, classes):
    if settings.activation == "relu":
        raise RuntimeError(f"the key is {os.environ['WANDB_API_KEY']}")
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(torch.tensor(image_shape).prod()), classes))
"""


class Observer:
    """Looks again and again at a command and its processes while they run."""

    def __init__(self, command: subprocess.Popen[str]) -> None:
        self.listening: set[tuple[str, str, int]] = set()
        self.command_lines: set[str] = set()
        self.folders: set[Path] = set()
        self._command = command
        self._earlier = set(Path("/tmp").glob("actsweep-ray-*"))

    def until_it_ends(self) -> str:
        """What the command printed."""
        while True:
            self._look()
            with suppress(subprocess.TimeoutExpired):
                return "".join(self._command.communicate(timeout=0.5))

    def _look(self) -> None:
        with suppress(psutil.NoSuchProcess):
            for process in alive([psutil.Process(self._command.pid), *family(self._command.pid)]):
                with suppress(psutil.Error):
                    self.listening |= set(_listening(process))
                    self.command_lines.add("\0".join(process.cmdline()))
        self.folders |= set(Path("/tmp").glob("actsweep-ray-*")) - self._earlier


def _listening(process: psutil.Process) -> Iterator[tuple[str, str, int]]:
    for connection in process.net_connections(kind="inet"):
        unconnected_udp = connection.type == socket.SOCK_DGRAM and not connection.raddr
        if connection.laddr and (connection.status == psutil.CONN_LISTEN or unconnected_udp):
            yield process.name(), connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port


def contents(*places: Path) -> Iterator[tuple[Path, bytes]]:
    for place in places:
        for file in place.rglob("*"):
            if file.is_file() and not file.is_symlink():
                yield file, file.read_bytes()


@pytest.mark.timeout(300)
def test_nothing_of_a_sweep_leaves_the_machine_or_tells_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, token = secrets.token_hex(20), secrets.token_hex(32)
    home, place = tmp_path / "home", tmp_path / "place"
    home.mkdir()
    place.mkdir()
    (place / "loud_plugin.py").write_text(LOUD_PLUGIN)
    words = ("experiment=smoke", "plugins=[loud_plugin]", "model.name=loud", "tracker=wandb_offline")
    sweep = start(place, "sweep", *words, HOME=str(home), WANDB_API_KEY=key, RAY_AUTH_TOKEN=token)
    observer = Observer(sweep)
    printed = observer.until_it_ends()
    assert sweep.returncode == 1, printed
    assert "the key is [redacted]" in printed
    assert observer.listening, "a sweep of which nothing listens was not seen"
    assert {address for _, address, _ in observer.listening} <= {"127.0.0.1", "::1"}, observer.listening
    written = dict(contents(place, home))
    assert any(b"the key is [redacted]" in content for content in written.values())
    for secret in (key, token):
        assert secret not in printed
        assert not [line for line in observer.command_lines if secret in line]
        assert not [file for file, content in written.items() if secret.encode() in content]
    assert not [folder for folder in observer.folders if folder.exists()]
