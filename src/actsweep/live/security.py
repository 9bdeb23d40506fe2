"""What every answer carries, and which requests are refused: this server is for one browser on this machine."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SITES = ("none", "same-origin")  # a page that the reader has typed or follows here, and our own
_HTTP_PORT = 80  # which browsers leave out
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(port: int) -> Middleware:
    """Refuse requests that name another host, as those of a foreign page whose name was made to lead here.

    Args:
        port: that the server listens on.
    """
    hosts = {f"{name}:{port}" for name in _NAMES} | (set(_NAMES) if port == _HTTP_PORT else set())

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        return _dressed(await _answer(request, handler, hosts))

    return checked


async def _answer(request: web.Request, handler: Handler, hosts: set[str]) -> web.StreamResponse:
    if [host.lower() for host in request.headers.getall("Host", [])] not in [[host] for host in hosts]:
        return web.Response(status=403, text="403: this dashboard answers on this machine's own addresses only\n")
    if request.headers.get("Sec-Fetch-Site", "none") not in _SITES:
        return web.Response(status=403, text="403: this dashboard does not answer to other pages\n")
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, text="405: this dashboard is for reading\n", headers={"Allow": "GET, HEAD"})
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=f"{error.status}: {error.reason}\n")
    except Exception as error:  # one page that fails leaves the others
        return web.Response(status=500, text=f"500: the dashboard failed: {type(error).__name__}: {error}\n")


def _dressed(response: web.StreamResponse) -> web.StreamResponse:
    response.headers.update(HEADERS)
    return response
