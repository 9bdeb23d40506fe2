import socket
from pathlib import Path

import pytest

from actsweep.cluster.reach import host_and_port, resolved, unreachable


@pytest.fixture
def address() -> str:
    """Where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_one_that_listens_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for form in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}", f"http://127.0.0.1:{port}"):
            assert unreachable(form, 3) == ""


def test_one_that_does_not_is_named(address: str) -> None:
    assert address in unreachable(address, 3)


@pytest.mark.parametrize("form", ["nonsense", "host:port", "10.0.0.5", "[::1", "host:99999"])
def test_what_is_no_address_is_refused(form: str) -> None:
    assert "no address of the form HOST:PORT" in unreachable(form, 3)


def test_auto_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.5:6379")
    assert resolved("auto") == "10.0.0.5:6379"
    assert resolved("10.0.0.6:6379") == "10.0.0.6:6379"


def test_auto_is_what_a_cluster_of_this_machine_has_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert resolved("auto") == ""
    assert "no cluster runs on this machine" in unreachable("auto", 3)
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("10.0.0.7:6379\n")
    assert resolved("auto") == "10.0.0.7:6379"


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("10.0.0.5:6379", ("10.0.0.5", 6379)),
        ("ray://[::1]:10001", ("::1", 10001)),
        ("https://host/path", ("host", 443)),
        ("", ("", 0)),
    ],
)
def test_the_host_and_the_port_of_an_address(form: str, found: tuple[str, int]) -> None:
    assert host_and_port(form) == found
