"""The server over HTTP, on a free port of loopback."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from wandb_server.server import Server

_STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")


class _Quiet(ThreadingHTTPServer):
    """One that can hang up on all clients at once."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle of a request, or is killed, is part of what is tested."""


@contextmanager
def wandb_server(server: Server | None = None, port: int = 0) -> Iterator[Server]:
    """A server for the length of the block, on a port of loopback, a free one for 0; one that was down may go on."""
    server = server or Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self._body()
            if self._troubled():
                return
            if self.path == "/graphql":
                body = json.loads(raw)
                self._answer(server.graphql(body["query"], body.get("variables") or {}))
            elif stream := _STREAM.fullmatch(self.path):
                self._answer(server.stream(stream[2], stream[3], json.loads(raw)))
            elif self.path.startswith("/sdk/otel/"):  # what the client tells of itself
                self._answer({})
            else:
                server.unknown.append(f"POST {self.path} {raw[:200]!r}")
                self._answer({})

        def do_PUT(self) -> None:
            raw = self._body()
            if self._troubled():
                return
            owner, identity, name = unquote(self.path).removeprefix("/").split("/", 2)
            server.upload(owner, identity, name, raw)
            self._answer({})

        def do_GET(self) -> None:
            self._answer({})

        def _troubled(self) -> bool:
            """Whether the request got what all get at present: an error, or nothing."""
            while server.silent.is_set():
                time.sleep(0.1)
            if server.status != 200:
                self._answer({"errors": [{"message": "there is trouble"}]}, server.status)
            return server.status != 200

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(self, content: dict[str, Any], status: int = 200) -> None:
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    http = _Quiet(("127.0.0.1", port), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.silent.clear()
        http.shutdown()
        http.hang_up()
        http.server_close()
        thread.join()
