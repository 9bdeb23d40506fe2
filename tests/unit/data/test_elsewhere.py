"""Decoded images on a machine that has not decoded them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actsweep.data import Source, prepare
from actsweep.data.elsewhere import Pixels, brought, pixels_of
from actsweep.data.entry import pixels_path
from actsweep.errors import DataError
from actsweep.settings import StudyConfig


@pytest.fixture
def source(compose: Callable[..., StudyConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The digits, decoded on a machine whose cache is not this one's any more."""
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "there"))
    found = prepare(compose("experiment=smoke").data)
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "here"))
    return found


def never() -> Pixels:
    raise AssertionError("nothing was to be asked for")


def test_where_the_cache_is_shared_nothing_is_copied(source: Source, tmp_path: Path) -> None:
    assert brought(source, never) == source
    assert not (tmp_path / "here").exists()


def test_what_is_not_here_is_copied_once(source: Source, tmp_path: Path) -> None:
    sent = pixels_of(source)
    (tmp_path / "there").rename(tmp_path / "gone")
    first = brought(source, lambda: sent)
    assert Path(first.path) == tmp_path / "here" / "data" / Path(source.path).name
    assert (first.fingerprint, first.classes) == (source.fingerprint, source.classes)
    there = tmp_path / "gone" / "data" / Path(source.path).name
    assert pixels_path(Path(first.path)).read_bytes() == pixels_path(there).read_bytes()
    assert brought(source, never) == first


def test_other_images_than_those_of_the_study_are_refused(source: Source, tmp_path: Path) -> None:
    notes, pixels = pixels_of(source)
    (tmp_path / "there").rename(tmp_path / "gone")
    with pytest.raises(DataError, match="are not those of the study"):
        brought(source, lambda: (notes, np.zeros_like(pixels)))
