from collections.abc import Callable
from typing import Any

import pytest

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig, refuse_secrets

Compose = Callable[..., StudyConfig]
CANARY = "canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", CANARY)


@pytest.mark.parametrize(
    ("word", "option"),
    [
        (f"tracker.project={CANARY}", "tracker.project"),
        (f"tracker.entity=my-{CANARY}-team", "tracker.entity"),
        ("tracker.project=${oc.env:WANDB_API_KEY}", "tracker.project"),
        ("+model.options.api_key=anything", "model.options.api_key"),
        ("+model.options.hub_token=anything", "model.options.hub_token"),
        (f"+optimizer.options.note={CANARY}", "optimizer.options.note"),
        ("++wandb_token=anything", "wandb_token"),
        ("++model.apiKey=anything", "model.apiKey"),
        ("++model.api-key=anything", "model.api-key"),
        ("++model.accessToken=anything", "model.accessToken"),
        ("++model.ssh_key=anything", "model.ssh_key"),
        ("++model.db_passwd=anything", "model.db_passwd"),
        ("++model.gcp_credentials={a: anything}", "model.gcp_credentials"),
        (f"+study.nuisance.{CANARY}=[1]", "study.nuisance"),
        (f"study.scientific.model.activation=[relu,{CANARY}]", "study.scientific.model.activation"),
        ("data.root=http://me:sesame@example.org/images", "data.root"),
    ],
)
def test_a_secret_is_refused_by_its_option_and_never_shown(compose: Compose, word: str, option: str) -> None:
    with pytest.raises(RequestError) as refusal:
        compose("experiment=smoke", word)
    assert str(refusal.value).startswith(f"{option}: ")
    assert CANARY not in str(refusal.value)
    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize(
    "tree",
    [
        {"api_key": None},
        {"model": {"tokens": 3, "keyword": "x"}},
        {"address": "http://10.0.0.5:8265", "root": "/data/a@b"},
        {"tracker": {"project": "canary"}},
    ],
)
def test_what_only_looks_a_little_like_a_secret_is_accepted(tree: Any) -> None:
    refuse_secrets(tree)
