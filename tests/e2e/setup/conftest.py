"""The scripts behind the set-up."""

import importlib

import pytest

from checkouts import ROOT


@pytest.fixture
def script(monkeypatch):
    """Import one of the scripts by name."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module
