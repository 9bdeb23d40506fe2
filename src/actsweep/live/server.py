"""The HTTP server of the dashboard, on loopback alone."""

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from aiohttp import web

from actsweep.errors import RequestError
from actsweep.live.pages import asset, list_page, list_parts, message_page, study_page, study_parts
from actsweep.live.parts import Parts
from actsweep.live.security import guard
from actsweep.live.view import StudyView
from actsweep.live.watch import Watch

DEFAULT_PORT = 8270
HOST = "127.0.0.1"
_SILENT = logging.getLogger(__name__)  # what a client garbles is no news for who has started the server
_SILENT.addHandler(logging.NullHandler())
_FIRST_SECONDS = 1.0  # for which a page that is asked for first may wait for what it shows
_LAST_SECONDS = 1.0  # for which the end may wait for what is being computed
_STEP = 0.02


def serve(root: Path, port: int | None, said: Callable[[str], None]) -> None:
    """Show the studies below a folder until SIGINT, SIGTERM or SIGHUP.

    Args:
        root: the folder, which need not be there yet.
        port: to listen on; 0 is any free one, None `DEFAULT_PORT`, or any free one where that is taken.
        said: is called with the address of the pages, once they can be asked for.

    Raises:
        RequestError: the port cannot be had.
    """
    listener = _listener(port)
    watch = Watch(root)
    with listener:
        asyncio.run(_serve(watch, listener, said))
    if not watch.has_ended(_LAST_SECONDS):
        sys.stdout.flush()
        os._exit(0)  # at its own exit Python would abort where a thread is within other libraries


def _listener(port: int | None) -> socket.socket:
    try:
        return socket.create_server((HOST, DEFAULT_PORT if port is None else port))
    except OSError as error:
        if port is None:
            return socket.create_server((HOST, 0))
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise RequestError(
            f"dashboard: --port {port}: that port {why}; give another, or none for any that is free"
        ) from error


async def _serve(watch: Watch, listener: socket.socket, said: Callable[[str], None]) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as SIGHUP below nohup
            loop.add_signal_handler(number, over.set)
    port = listener.getsockname()[1]
    runner = web.AppRunner(application(watch, port), access_log=None, logger=_SILENT, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        watch.start()
        said(f"http://{HOST}:{port}/")
        await over.wait()
    finally:
        watch.stop()
        await runner.cleanup()


def application(watch: Watch, port: int) -> web.Application:
    """The routes.

    Args:
        watch: what is known of the studies.
        port: that the server listens on.
    """
    routes = _Routes(watch)
    app = web.Application(middlewares=[guard(port)])
    app.router.add_get("/", routes.studies)
    app.router.add_get("/state", routes.studies_state)
    app.router.add_get("/study/{name:[^/]+}", routes.study)
    app.router.add_get("/study/{name:[^/]+}/state", routes.study_state)
    app.router.add_get("/{asset}", routes.asset)
    return app


class _Routes:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def studies(self, request: web.Request) -> web.Response:
        parts = await _soon(self._watch.overview)
        return _page(list_page(self._watch.root, parts or list_parts(self._watch.root, "They are being read", [])))

    async def studies_state(self, request: web.Request) -> web.Response:
        return _state(request, await _soon(self._watch.overview))

    async def study(self, request: web.Request) -> web.Response:
        name = _name(request)
        if not await asyncio.to_thread(self._watch.knows, name):
            text = f"There is no study of this name in {self._watch.root}."
            return _page(message_page("No such study", text), status=404)
        parts = await _soon(lambda: self._watch.study(name))
        return _page(study_page(name, parts or study_parts(StudyView("looking at the study"), None)))

    async def study_state(self, request: web.Request) -> web.Response:
        name = _name(request)
        parts = self._watch.study(name)
        if parts is None and not await asyncio.to_thread(self._watch.knows, name):
            raise web.HTTPNotFound
        return _state(request, parts or await _soon(lambda: self._watch.study(name)))

    async def asset(self, request: web.Request) -> web.Response:
        found = asset(request.path)
        if found is None:
            raise web.HTTPNotFound
        text, kind = found
        return web.Response(text=text, content_type=kind)


def _name(request: web.Request) -> str:
    """The name that a request asks for, as the file system has it; it is looked up, and never made a path of."""
    return os.fsdecode(unquote_to_bytes(request.rel_url.raw_path.split("/")[2]))


async def _soon(parts: Callable[[], Parts | None]) -> Parts | None:
    """What is there at once, or comes soon."""
    for _ in range(round(_FIRST_SECONDS / _STEP)):
        found = parts()
        if found is not None:
            return found
        await asyncio.sleep(_STEP)
    return None


def _state(request: web.Request, parts: Parts | None) -> web.Response:
    news = parts.since(request.query.get("seen", "")) if parts is not None else None
    if news is None:
        return web.Response(status=204)
    return web.Response(text=news, content_type="application/json")


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html")
