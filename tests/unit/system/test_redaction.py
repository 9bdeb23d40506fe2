import json
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

from actsweep.system.redaction import redacted, secret_values

SECRET = "correct horse/battery"


@pytest.mark.parametrize(
    "name", ["WANDB_API_KEY", "RAY_AUTH_TOKEN", "GH_TOKEN", "MY_SECRET", "DB_PASSWORD", "db_password", "TOKEN"]
)
def test_the_value_of_a_variable_named_like_a_secret_is_blacked_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, f" {SECRET}\n")
    assert redacted(f"401 for '{SECRET}', {SECRET}") == "401 for '[redacted]', [redacted]"


@pytest.mark.parametrize("name", ["KEYBOARD", "TOKENIZERS_PARALLELISM", "MONKEY", "SECRETARY"])
def test_other_variables_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    assert redacted(f"about {SECRET}") == f"about {SECRET}"


def test_a_value_too_short_for_a_secret_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_KEY", "epochs")
    assert redacted("12 epochs") == "12 epochs"


SPELLED = {"python": repr, "json": json.dumps, "address": lambda value: quote(value, safe=""), "plain": str}


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_secret_is_found_however_it_is_spelled(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = 'pass\\word "ü" 1/2'
    monkeypatch.setenv("A_SECRET", value)
    assert redacted(SPELLED[spelling](value)).strip("'\"") == "[redacted]"


def test_a_secret_that_holds_another_is_blacked_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "abcdefgh")
    monkeypatch.setenv("B_KEY", "abcdefgh-ijkl")
    assert redacted("abcdefgh-ijkl abcdefgh") == "[redacted] [redacted]"


def test_the_token_files_of_ray_are_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("of-the-home\n")
    (tmp_path / "named").write_text("of-the-path\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    assert {"of-the-home", "of-the-path"} <= set(secret_values())
    assert redacted("of-the-home of-the-path") == "[redacted] [redacted]"


def test_token_files_that_cannot_be_read_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "named").write_bytes(b"\xff\xfe\x00binary-token")
    monkeypatch.setenv("HOME", str(tmp_path))
    before = secret_values()
    for path in ("named", "nothing", "."):
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / path))
        assert secret_values() == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://ann:pw@host:8080/x?y=1", "at https://[redacted]@host:8080/x?y=1"),
        ("ray://t0ken@host", "ray://[redacted]@host"),
        ("https://a@b:c@host/", "https://[redacted]@host/"),
        ("https://host/a@b and me@host", "https://host/a@b and me@host"),
    ],
)
def test_what_stands_before_the_host_of_an_address_is_blacked_out(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_traceback_loses_the_secret_that_its_error_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    try:
        raise ValueError(f"no login for {SECRET}")
    except ValueError:
        shown = redacted(traceback.format_exc())
    assert "no login for [redacted]" in shown
