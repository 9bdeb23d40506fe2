"""Whether something listens at a cluster's address, asked in bounded time and without Ray."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

_CURRENT = Path("/tmp/ray/ray_current_cluster")  # where a cluster that was started on this machine notes its address


def unreachable(address: str, seconds: float) -> str:
    """Why no connection to a cluster can be had; empty where one can.

    Args:
        address: host:port, a URL, or auto for the cluster of this machine.
        seconds: how long to wait for an answer.
    """
    found = _of_this_machine() if address == "auto" else address
    if not found:
        return "no cluster runs on this machine, and RAY_ADDRESS is not set"
    parts = urlsplit(found if "//" in found else f"//{found}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        return f"{found!r} is no address of the form HOST:PORT"
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as error:
        return f"{host}:{port} does not answer ({error.strerror or error})"
    return ""


def _of_this_machine() -> str:
    with suppress(OSError):
        return os.environ.get("RAY_ADDRESS") or _CURRENT.read_text().strip()
    return ""
