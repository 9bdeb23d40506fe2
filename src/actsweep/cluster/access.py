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
    host, _ = host_and_port(resolved(address))
    if host and not _is_loopback(host) and not (_mode() == "token" and has_token()):
        raise RequestError(
            f"cluster.address={address}: {host} is not this machine's loopback, and a cluster there is used with a "
            f"token only; {TOKEN_HINT}"
        )


def token_environment() -> dict[str, str]:
    """What lets Ray use the token that is there; Ray alone would not look for one unless told so."""
    return {"RAY_AUTH_MODE": _mode()}


def has_token() -> bool:
    """Whether there is a token where Ray looks for one."""
    return bool(os.environ.get("RAY_AUTH_TOKEN", "").strip()) or _holds_text(_token_file())


def access_notes(address: str) -> tuple[str, ...]:
    """What of the way to a cluster lets others in, though it works: one line each.

    A file of Ray's own making that other users can read is closed to them instead.
    """
    notes = []
    file = _token_file()
    if _mode() == "token" and not os.environ.get("RAY_AUTH_TOKEN") and not protect(file):
        notes.append(f"other users can read the token in {file}; to prevent it: chmod 600 {file}")
    host, _ = host_and_port(address)
    if address.startswith("http://") and not _is_loopback(host) and has_token():
        notes.append(f"http://{host} is not encrypted: whoever listens on the way can read the token; use https://")
    return tuple(notes)


def protect(file: Path) -> bool:
    """Close Ray's own token file to other users, which Ray leaves readable.

    Returns:
        whether only this user can read the file now, if it is there.
    """
    with suppress(OSError):
        if file.stat().st_mode & _OF_OTHERS and file == _default_file():
            file.chmod(0o600)
        return not file.stat().st_mode & _OF_OTHERS
    return True


def _mode() -> str:
    """How one shows who one is: with a token where there is one, unless the user chose otherwise."""
    return os.environ.get("RAY_AUTH_MODE", "").lower() or ("token" if has_token() else "disabled")


def _token_file() -> Path:
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named).expanduser() if named else _default_file()


def _default_file() -> Path:
    return Path("~/.ray/auth_token").expanduser()


def _holds_text(file: Path) -> bool:
    with suppress(OSError):
        return file.is_file() and bool(file.read_bytes().strip())
    return False


def _is_loopback(host: str) -> bool:
    """Whether a name or an address leads to this machine alone; a name that is not known does not."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in found]
    return all((getattr(address, "ipv4_mapped", None) or address).is_loopback for address in addresses)
