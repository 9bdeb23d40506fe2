import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from actsweep.cluster import admission
from actsweep.cluster.admission import require_cluster
from actsweep.errors import RequestError


@contextmanager
def job_server(status: int) -> Iterator[str]:
    """A server that answers every request in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "Authorization" not in self.headers
            self.send_response(status)
            self.end_headers()

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


def off_loopback(address: str) -> str:
    """The same server by an address that Linux takes for this machine, though it is none of loopback."""
    return address.replace("127.0.0.1", "0.0.0.0")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where something takes connections and says nothing."""
    monkeypatch.setattr(admission, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_what_says_nothing_is_no_cluster(silent: str) -> None:
    with pytest.raises(RequestError, match="no Ray cluster answers"):
        require_cluster(silent)
    with pytest.raises(RequestError, match="no job server answers"):
        require_cluster(f"http://{silent}")


def test_what_is_no_ray_is_no_cluster() -> None:
    with job_server(200) as address, pytest.raises(RequestError, match="no Ray cluster answers"):
        require_cluster(address.removeprefix("http://"))


@pytest.mark.parametrize("status", [401, 403])
def test_a_job_server_that_asks_for_a_token_is_used(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    with job_server(status) as address:
        require_cluster(off_loopback(address))


def test_one_that_asks_for_none_is_used_on_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    with job_server(200) as address:
        require_cluster(address)
        with pytest.raises(RequestError, match="runs the code of anyone"):
            require_cluster(off_loopback(address))
