import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.run.doctor import Check, examine, memory_checks
from actsweep.settings import StudyConfig

Compose = Callable[..., StudyConfig]


@pytest.fixture
def address() -> str:
    """Where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_what_is_there_and_what_is_missing(compose: Compose, address: str, tmp_path: Path) -> None:
    words = ("cluster=ray", f"cluster.address={address}", "tracker=wandb_online", f"run.root={tmp_path}/new")
    checks = by_name(examine(compose("experiment=smoke", *words)))
    assert {name for name, check in checks.items() if not check.ok} == {"Ray cluster", "W&B"}
    assert address in checks["Ray cluster"].found
    assert "WANDB_API_KEY" in checks["W&B"].hint
    assert "10 classes" in checks["data"].found
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_missing(compose: Compose, address: str) -> None:
    words = ("cluster=ray", f"cluster.address={address}", "data=image_folder", "data.root=nowhere")
    checks = by_name(examine(compose(*words)))
    assert "nowhere" in checks["data"].found
    assert not checks["disk"].ok


def test_data_that_are_yet_to_be_downloaded_are_told_and_not_fetched(
    compose: Compose, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path))
    checks = by_name(examine(compose("data=cifar10", "cluster=ray", f"cluster.address={address}")))
    assert checks["data"].found.startswith("not here yet: cifar-10-python.tar.gz will be downloaded to ")
    assert checks["data"].found.endswith(", 170 MB")
    assert checks["data"].ok
    assert checks["disk"].ok
    assert list(tmp_path.iterdir()) == []


def test_memory_is_what_the_container_leaves(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actsweep.run.doctor.memory_left", lambda: 10**6)
    checks = by_name(list(memory_checks(compose("experiment=smoke"))))
    assert not checks["memory"].ok
    assert checks["memory"].found.startswith("1 MB free")
