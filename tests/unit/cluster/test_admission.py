import socket
from collections.abc import Iterator
from http.client import HTTPMessage

import pytest

from actsweep.cluster import admission
from actsweep.cluster.admission import require_cluster
from actsweep.errors import RequestError
from servers import answering


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
    with answering(200) as address, pytest.raises(RequestError, match="no Ray cluster answers"):
        require_cluster(address.removeprefix("http://"))


@pytest.mark.parametrize("status", [401, 403])
def test_a_job_server_that_asks_for_a_token_is_used(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    heard: list[HTTPMessage] = []
    with answering(status, heard.append) as address:
        require_cluster(off_loopback(address))
    assert ["Authorization" in headers for headers in heard] == [False]


def test_one_that_asks_for_none_is_used_on_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    with answering(200) as address:
        require_cluster(address)
        with pytest.raises(RequestError, match="runs the code of anyone"):
            require_cluster(off_loopback(address))
