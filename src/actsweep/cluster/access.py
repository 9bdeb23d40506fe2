"""Who may use a cluster: off this machine only one that asks for a token is used, and the token is kept from others."""

import ipaddress
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from actsweep.cluster.reach import host_and_port, resolved
from actsweep.errors import RequestError

TOKEN_HINT = (
    "set RAY_AUTH_MODE=token, and the cluster's token in RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, "
    "or in ~/.ray/auth_token"
)
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def require_token(address: str) -> None:
    """Refuse to use a cluster off this machine without a token.

    Args:
        address: host:port, a URL, or auto for the cluster of this machine.

    Raises:
        RequestError: the address leads off loopback, and the environment has no token for it.
    """
    found = resolved(address)
    if all(host_and_port(found)) and not is_loopback(found) and not (_mode() == "token" and token()):
        raise RequestError(
            f"cluster.address={address}: {found} is not this machine's loopback, and a cluster there is used with a "
            f"token only; {TOKEN_HINT}"
        )


def is_loopback(address: str) -> bool:
    """Whether an address, host:port or a URL, leads to this machine alone; what is no address leads nowhere."""
    host, _ = host_and_port(address)
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)} if host else set()
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
    return all((getattr(one, "ipv4_mapped", None) or one).is_loopback for one in addresses)


def token_environment() -> dict[str, str]:
    """What lets Ray use the token that is there; Ray alone would not look for one unless told so."""
    return {"RAY_AUTH_MODE": _mode()}


def token() -> str:
    """The token, from where Ray looks for one; empty if there is none."""
    if named := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return named
    file = _token_file()
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text().strip() if file.is_file() else ""
    return ""


def access_notes(address: str | None) -> tuple[str, ...]:
    """What of the way to a running cluster lets others in, though it works: one line each.

    A file of Ray's own making that other users can read is closed to them instead.
    """
    if not address:
        return ()
    notes = []
    file = _token_file()
    if _mode() == "token" and not os.environ.get("RAY_AUTH_TOKEN") and not _protected(file):
        notes.append(f"other users can read the token in {file}; to prevent it: chmod 600 {file}")
    if address.startswith("http://") and not is_loopback(address) and token():
        notes.append(f"{address} is not encrypted: whoever listens on the way can read the token; https:// prevents it")
    return tuple(notes)


def _mode() -> str:
    """How one shows who one is: with a token where there is one, unless the user chose otherwise."""
    return os.environ.get("RAY_AUTH_MODE", "").lower() or ("token" if token() else "disabled")


def _token_file() -> Path:
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named).expanduser() if named else _default_file()


def _default_file() -> Path:
    return Path("~/.ray/auth_token").expanduser()


def _protected(file: Path) -> bool:
    """Whether only this user can read a file, if it is there; Ray's own, which Ray leaves readable, is closed first."""
    with suppress(OSError):
        if file.stat().st_mode & _OF_OTHERS and file == _default_file():
            file.chmod(0o600)
        return not file.stat().st_mode & _OF_OTHERS
    return True
