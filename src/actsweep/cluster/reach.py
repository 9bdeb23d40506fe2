"""Where a cluster is, and whether something listens there, asked in bounded time and without Ray."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

_TEMPORARY = ("RAY_TMPDIR", "TMPDIR")  # where Ray keeps its folder, by its own order


def unreachable(address: str, seconds: float) -> str:
    """Why no connection to a cluster can be had; empty where one can.

    Args:
        address: host:port, a URL, or auto for the cluster of this machine.
        seconds: how long to wait for an answer.
    """
    found = resolved(address)
    if not found:
        return "no cluster runs on this machine, and RAY_ADDRESS is not set"
    host, port = host_and_port(found)
    if not host or not port:
        return f"{found!r} is no address of the form HOST:PORT"
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except (OSError, UnicodeError) as error:
        return f"{host}:{port} does not answer ({getattr(error, 'strerror', None) or error})"
    return ""


def resolved(address: str) -> str:
    """An address with `auto` replaced by that of the cluster of this machine; empty where there is none.

    Ray itself, told `auto`, may turn to a cluster of another user that it finds among the processes.
    """
    if address != "auto":
        return address
    if named := os.environ.get("RAY_ADDRESS", ""):
        return named
    folder = next((os.environ[name] for name in _TEMPORARY if name in os.environ), "/tmp")
    with suppress(OSError, UnicodeDecodeError):
        return (Path(folder) / "ray" / "ray_current_cluster").read_text().strip()
    return ""


def host_and_port(address: str) -> tuple[str, int]:
    """The host and the port that an address names; empty and 0 where it does not."""
    with suppress(ValueError):
        parts = urlsplit(address if "//" in address else f"//{address}")
        default = {"http": 80, "https": 443}.get(parts.scheme, 0)
        return parts.hostname or "", parts.port or default
    return "", 0
