"""Secrets have no place in a configuration, which is written to the study's folder, to W&B and to job descriptions."""

import re
from collections.abc import Iterator, Mapping, Sequence

from actsweep.errors import RequestError
from actsweep.system.redaction import secret_values

_NAME = re.compile(
    r"(?:.*[_-])?(?:(?:api|access|private|secret|ssh)[_-]?key|(?:access|auth)?token|secret|passw(?:or)?d|passphrase|pwd|credentials?)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"://[^/@\s]+@")
_INSTEAD = "set it as an environment variable, such as WANDB_API_KEY or RAY_AUTH_TOKEN, and leave it out here"


def refuse_secrets(tree: object) -> None:
    """Check a configuration, before anything of it is shown.

    Args:
        tree: the configuration, nested, with its interpolations resolved.

    Raises:
        RequestError: an option is named like a secret and has a value, or its value holds one; the message names the
            option, and never the value.
    """
    known = secret_values()
    for path, value in _leaves(tree, ""):
        if value is not None and any(_NAME.fullmatch(part) for part in path.split(".")):
            raise RequestError(f"{path}: is named like a secret, which a configuration must not hold; {_INSTEAD}")
        if isinstance(value, str) and any(secret in value for secret in known):
            raise RequestError(f"{path}: holds a secret of this environment, which would be written down; {_INSTEAD}")
        if isinstance(value, str) and _USERINFO.search(value):
            raise RequestError(f"{path}: an address with a user or password before @; {_INSTEAD}")


def _leaves(node: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for key, inner in node.items():
            yield path, str(key)  # which may hold a secret as well
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for inner in node:
            yield from _leaves(inner, path)
    else:
        yield path, node
