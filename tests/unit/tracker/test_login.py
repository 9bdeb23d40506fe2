from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from actsweep.tracker import has_key, require_login

Compose = Callable[..., StudyConfig]


def test_a_key_is_found_where_wandb_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not has_key()
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password k\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert has_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example")
    assert not has_key()
    monkeypatch.setenv("WANDB_API_KEY", "k")
    assert has_key()


def test_a_key_is_found_in_wandbs_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings").write_text("[default]\napi_key = k\n")
    assert has_key()


def test_only_sending_needs_a_key(compose: Compose) -> None:
    require_login(compose("tracker=wandb_offline").tracker)
    with pytest.raises(RequestError, match="wandb login"):
        require_login(compose("tracker=wandb_online").tracker)
