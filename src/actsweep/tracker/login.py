"""Whether wandb will find a key, by the places where it looks; nothing is sent and wandb is not loaded."""

import configparser
import netrc
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from actsweep.errors import RequestError
from actsweep.settings import TrackerSettings

_NO_KEY = "no W&B key is found; set WANDB_API_KEY, or run `wandb login` once"
LOGIN_HINT = "set WANDB_API_KEY, or run `wandb login` once; tracker=wandb_offline needs no key"
_OF_THE_USER = ("WANDB_ENTITY", "WANDB_PROJECT")
_SERVER = "https://api.wandb.ai"


def require_login(settings: TrackerSettings) -> None:
    """Refuse to begin what W&B would not take.

    Raises:
        RequestError: runs are to be sent, and there is no key to send them with.
    """
    if settings.name == "wandb_online" and not has_key():
        raise RequestError(f"tracker=wandb_online: no W&B key is found; {LOGIN_HINT}")


def require_key(what: str) -> None:
    """Refuse what cannot be done without a key.

    Args:
        what: what is to be done, for the message.

    Raises:
        RequestError: there is no key.
    """
    if not has_key():
        raise RequestError(f"{what}: {_NO_KEY}")


def has_key() -> bool:
    """Whether there is a key: in the environment, in the netrc file, or in wandb's own settings."""
    return bool(os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or _key())


def identity() -> dict[str, str]:
    """What another machine needs in its environment to be this user at this server: secrets, for no file or log.

    Raises:
        RequestError: no key is found here.
    """
    key = _key()
    if not key:
        raise RequestError(_NO_KEY)
    given = {name: os.environ[name] for name in _OF_THE_USER if name in os.environ}
    return {**given, "WANDB_API_KEY": key, "WANDB_BASE_URL": server()}


def _key() -> str:
    return os.environ.get("WANDB_API_KEY") or _own_settings().get("api_key") or _in_netrc(urlsplit(server()).netloc)


def server() -> str:
    """Where wandb will send what it sends."""
    return os.environ.get("WANDB_BASE_URL") or _own_settings().get("base_url", _SERVER)


def _own_settings() -> dict[str, str]:
    folder = Path(os.environ.get("WANDB_CONFIG_DIR") or Path.home() / ".config" / "wandb")
    parser = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error, OSError, UnicodeDecodeError):
        parser.read(folder / "settings")
    return dict(parser["default"]) if parser.has_section("default") else {}


def _in_netrc(host: str) -> str:
    named = os.environ.get("NETRC")
    for path in [Path(named).expanduser()] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]:
        with suppress(netrc.NetrcParseError, OSError, UnicodeDecodeError):
            if known := netrc.netrc(path).authenticators(host):
                return known[2] or ""
    return ""
