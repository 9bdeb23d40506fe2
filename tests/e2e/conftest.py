"""A browser for the tests of pages, and a Ray head for those of clusters."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browser import Tab, chromium
from ray_head import Head, ray_head


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.context.close()


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A cluster of one node, started anew for each module."""
    with ray_head(tmp_path_factory.mktemp("head") / "log") as running:
        yield running


@pytest.fixture
def with_token(head: Head, monkeypatch: pytest.MonkeyPatch) -> Head:
    """The cluster, with what its clients need in the environment."""
    for name, value in head.environment.items():
        monkeypatch.setenv(name, value)
    return head
