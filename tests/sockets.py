"""The sockets that a command and all that it started listen on, as the kernel lists them."""

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from processes import alive, family

_LISTENS = "0A"


@dataclass(frozen=True, order=True)
class Listening:
    """A TCP socket that listens, or a UDP socket."""

    kind: str
    host: str
    port: int
    process: str

    @property
    def on_loopback(self) -> bool:
        address = ipaddress.ip_address(self.host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def listening(pid: int) -> set[Listening]:
    """All that a process and its descendants listen on."""
    owners = {inode: name for process in alive([psutil.Process(pid), *family(pid)]) for inode, name in _owned(process)}
    return {
        Listening(kind, host, port, owners[inode])
        for kind in ("tcp", "tcp6", "udp", "udp6")
        for inode, host, port in _of_kind(kind)
        if inode in owners
    }


def _owned(process: psutil.Process) -> Iterator[tuple[str, str]]:
    try:
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                target = str(link.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]"), process.name()
    except (OSError, psutil.Error):
        return


def _of_kind(kind: str) -> Iterator[tuple[str, str, int]]:
    for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
        fields = line.split()
        if kind.startswith("udp") or fields[3] == _LISTENS:
            host, port = fields[1].split(":")
            yield fields[9], _host(bytes.fromhex(host)), int(port, 16)


def _host(words: bytes) -> str:
    """An address from the kernel's notation: words of four bytes, each in this machine's order."""
    packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
