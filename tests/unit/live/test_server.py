"""What the server answers, asked as a browser and as a foe would, of the real command."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from actsweep.live.pages import _read_asset, asset
from actsweep.live.security import HEADERS
from dashboards import Dashboard, dashboard, page_of
from sockets import listening
from story import Story

from .conftest import Write, whole

NAMES = (
    "<script>alert(1)<\u2215script>",
    "<img src=x onerror=alert(1)>'\"",
    "a study of 100%25 & more?#;+",
    " two  spaces ",
    "\N{GRINNING FACE}\u202eevil\u2066",
    "é" * 127 + "x",
    "x" * 255,
    os.fsdecode(b"no \xff utf-8 \n"),
    "javascript:alert(1)",
    "..%2f..",
    "{{ 7*7 }}",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One dashboard for all tests here, with one root."""
    root = tmp_path_factory.mktemp("served") / "outputs"
    root.mkdir()
    with dashboard(root) as found:
        found.root = root  # type: ignore[attr-defined]
        yield found
        found.process.terminate()
        assert (found.process.communicate(timeout=20)[1], found.process.returncode) == ("", 0)


@pytest.fixture
def root(served: Dashboard) -> Path:
    return served.root  # type: ignore[attr-defined, no-any-return]


def test_it_listens_on_loopback_alone(served: Dashboard) -> None:
    (found,) = listening(served.process.pid)
    assert (found.kind, found.host, found.port) == ("tcp", "127.0.0.1", served.port)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_text_and_has_a_page(served: Dashboard, write: Write, story: Story, name: str) -> None:
    write(name, *whole(story))
    listed = served.until("/", lambda parts: page_of(name) in parts["studies"])["studies"]
    assert f'href="{page_of(name)}"' in listed
    page = served.ask(page_of(name))
    assert page.status == 200
    for text in (listed, page.text):
        assert text.count("<script") == (3 if text is page.text else 0)  # all of them our own
        assert not {"\u202e", "\u2066", "\udcff"} & set(text)
        assert "<img" not in text
    parts = served.until(page_of(name), lambda parts: "13 of 14" in parts["status"])
    assert "relu/3" in parts["cells"]


@pytest.mark.parametrize(
    "path",
    [
        "/study/..%2fdemo",
        "/study/..%2f..%2fetc%2fpasswd",
        "/study/../../../etc/passwd",
        "/study/%2e%2e",
        "/study/.",
        "/study/%00",
        "/study/%ff",
        "/study/demo%2fledger.jsonl",
        "/study/demo/ledger.jsonl",
        "/study//",
        "/study/",
        "/..%2f..%2fetc%2fpasswd",
        "/../live.css",
        "/template%2flive.css",
        "/report.html.j2",
        "/favicon.ico",
        "/study/" + "x" * 5000,
        "/study/nothing/state?seen=",
    ],
)
def test_what_is_not_there_is_not_found(served: Dashboard, write: Write, story: Story, path: str) -> None:
    write("demo", story.begin())
    answer = served.ask(path)
    assert (answer.status, "root:" in answer.text) == (404, False)


def own_headers(headers: dict[str, str]) -> bool:
    return headers.items() >= HEADERS.items() and not any(name.startswith("Access-Control") for name in headers)


@pytest.mark.parametrize("path", ["/", "/state", "/live.js", "/live.css", "/report.css", "/study/demo", "/nothing"])
def test_every_answer_carries_what_protects_it(served: Dashboard, write: Write, story: Story, path: str) -> None:
    write("demo", story.begin())
    found = served.ask(path)
    assert own_headers(found.headers)
    head = served.ask(path, "HEAD")
    assert (head.status, head.text, own_headers(head.headers)) == (found.status, "", True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/state", "/study/demo"])
def test_it_is_for_reading_only(served: Dashboard, method: str, path: str) -> None:
    answer = served.ask(path, method)
    assert (answer.status, answer.headers["Allow"], own_headers(answer.headers)) == (405, "GET, HEAD", True)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_another_host_is_refused(served: Dashboard, host: str) -> None:
    answer = served.ask("/", Host=host.format(port=served.port))
    assert (answer.status, own_headers(answer.headers)) == (403, True)
    assert "actsweep</p>" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
def test_its_own_names_are_not(served: Dashboard, host: str) -> None:
    assert served.ask("/", Host=host.format(port=served.port)).status == 200


@pytest.mark.parametrize(
    "lines", ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n"]
)
def test_no_host_and_two_hosts_are_refused(served: Dashboard, lines: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(lines.format(port=served.port).encode())
        assert connection.recv(1000).split()[1] in (b"403", b"400")


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_a_foreign_page_is_not_answered(served: Dashboard, site: str, status: int) -> None:
    assert served.ask("/", **{"Sec-Fetch-Site": site}).status == status


def test_what_is_asked_for_in_vain_is_not_kept() -> None:
    for number in range(100):
        assert asset(f"/no-such-{number}") is None
    assert _read_asset.cache_info().currsize <= 5


@pytest.mark.parametrize("lines", ["NONSENSE / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_request_is_refused_in_silence(served: Dashboard, lines: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(lines.encode("latin-1"))
        assert connection.recv(1000).split()[1] in (b"400", b"403")


def test_where_nothing_is_new_there_is_nothing_to_send(served: Dashboard, write: Write, story: Story) -> None:
    write("quiet", *whole(story))
    served.until("/study/quiet", lambda parts: "computed" not in parts["report"])
    assert served.news("/study/quiet") == {}
    trial = story.tune(0, 9)
    write("quiet", story.start(trial))
    changed: dict[str, str] = {}
    while "trials" not in changed:
        changed |= served.news("/study/quiet")
    assert trial.trial_id in changed["trials"]
    assert "cells" in changed, "there is one more trial"
    assert "notes" not in changed


def test_it_writes_nothing(served: Dashboard, write: Write, story: Story) -> None:
    folder = write("kept", *whole(story))
    before = sorted(folder.path.rglob("*"))
    served.until("/study/kept", lambda parts: "computed" not in parts["report"])
    assert sorted(folder.path.rglob("*")) == before
