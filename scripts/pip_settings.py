"""The user's pip configuration in uv's words: uv does not read it, and a mirror or proxy set there must still serve.

`find-links` and `extra-index-url` are left out on purpose: a CPU build of torch that lies there would be taken beside
the default build of torchvision, and the two do not work together.
"""

import ast
from collections.abc import Mapping

# From low to high precedence, as pip itself reads them.
SECTIONS = ("global", "install", ":env:")

# pip's option -> the variables by which uv may have been told already; the first is the one to set.
UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "cert": ("SSL_CERT_FILE",),
    "proxy": ("ALL_PROXY",),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "trusted-host": ("UV_INSECURE_HOST",),
}


def uv_variables(listing: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that tell uv what `pip config list` printed; those of the user stay."""
    values: dict[str, str] = {}
    for section in SECTIONS:
        values |= _section(listing, section)
    return {
        names[0]: " ".join(values[option].split())
        for option, names in UV_VARIABLES.items()
        if option in values and not any(name in environ for name in names)
    }


def _section(listing: str, section: str) -> dict[str, str]:
    options = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        if key.startswith(f"{section}."):
            options[key.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return options
