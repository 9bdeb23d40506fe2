"""Servers on loopback that answer in one way, whatever they are asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def answering(status: int, heard: Callable[[HTTPMessage], None] = lambda headers: None) -> Iterator[str]:
    """The address of a server that answers every request with a status; `heard` takes the headers of each."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard(self.headers)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
