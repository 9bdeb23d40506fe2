from pathlib import Path

import pytest

from actsweep.cluster.access import access_notes, is_loopback, require_token, token, token_environment
from actsweep.errors import RequestError

AWAY = "203.0.113.5:6379"  # an address kept for documents: no machine has it


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def token_file(home: Path) -> Path:
    (home / ".ray").mkdir()
    file = home / ".ray" / "auth_token"
    file.write_text("of-the-home\n")
    file.chmod(0o644)
    return file


@pytest.mark.parametrize("address", [AWAY, f"http://{AWAY}", f"ray://{AWAY}", "0.0.0.0:6379", "[2001:db8::1]:6379"])
def test_off_loopback_a_token_is_needed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="RAY_AUTH_MODE=token"):
        require_token(address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    require_token(address)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(RequestError, match="RAY_AUTH_MODE=token"):
        require_token(address)


@pytest.mark.parametrize("address", ["127.0.0.1:6379", "localhost:6379", "http://127.0.0.2:8265", "[::1]:6379"])
def test_on_loopback_none_is_needed(address: str) -> None:
    assert is_loopback(address)
    require_token(address)


@pytest.mark.parametrize(
    "address", [AWAY, "[::ffff:203.0.113.5]:1", "0.0.0.0:1", "host.invalid:1", "127.0.0.1.invalid:1"]
)
def test_what_is_not_known_to_be_loopback_is_not(address: str) -> None:
    assert not is_loopback(address)


def test_auto_is_judged_by_where_it_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", AWAY)
    with pytest.raises(RequestError, match=r"cluster\.address=auto: 203\.0\.113\.5"):
        require_token("auto")


def test_a_token_is_found_where_ray_looks(token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert token() == "of-the-home"
    (tmp_path / "named").write_text("of-the-path")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    assert token() == "of-the-path"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of-the-variable")
    assert token() == "of-the-variable"


def test_a_token_that_is_there_is_used(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert token_environment() == {"RAY_AUTH_MODE": "token"}
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert token_environment() == {"RAY_AUTH_MODE": "disabled"}


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_token_is_none(token_file: Path, content: bytes) -> None:
    token_file.write_bytes(content)
    assert token() == ""
    assert token_environment() == {"RAY_AUTH_MODE": "disabled"}


def test_the_token_that_ray_left_readable_is_closed(token_file: Path) -> None:
    assert access_notes("127.0.0.1:6379") == ()
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_a_readable_token_of_the_users_own_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "named"
    file.write_text("of-the-path")
    file.chmod(0o640)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    assert [f"chmod 600 {file}" in note for note in access_notes("127.0.0.1:6379")] == [True]
    assert file.stat().st_mode & 0o777 == 0o640
    file.chmod(0o600)
    assert access_notes("127.0.0.1:6379") == ()


def test_a_token_that_travels_in_the_clear_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t0ken")
    assert "not encrypted" in access_notes(f"http://{AWAY}")[0]
    assert access_notes(f"https://{AWAY}") == access_notes("http://127.0.0.1:8265") == access_notes(None) == ()
