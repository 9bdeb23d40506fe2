"""A study's results as they were written, and what they say of a study that has not ended."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.events import StudyFinished, StudyRecord
from actsweep.records import StudyFolder, read_results
from actsweep.settings import StudyConfig
from actsweep.studies.results import _unfinished
from actsweep.study import Study


def test_they_are_read_as_they_are(tmp_path: Path) -> None:
    results = {"schema": 1, "study": {}, "cells": [], "verdicts": []}
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert read_results(StudyFolder(tmp_path)) == results


@pytest.mark.parametrize("content", ["[" * 100_000, '{"study":' * 5000, "1" * 5000], ids=["lists", "maps", "number"])
def test_a_file_made_to_harm_is_refused_like_a_damaged_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(RecordsError, match=r"results\.json is damaged"):
        read_results(StudyFolder(tmp_path))


def test_a_file_beyond_all_bounds_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = json.dumps({"study": {}, "cells": [], "verdicts": []})
    (tmp_path / "results.json").write_text(results)
    monkeypatch.setattr("actsweep.records.results_file._LARGEST", len(results) - 1)
    with pytest.raises(RecordsError, match=r"results\.json is damaged"):
        read_results(StudyFolder(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", '"results"', "{}", '{"study": {}}'])
def test_a_damaged_file_is_refused_with_the_command_that_rebuilds_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(RecordsError, match=r"results\.json is damaged; to rebuild it: actsweep report "):
        read_results(StudyFolder(tmp_path))


def test_without_any_the_command_that_makes_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"no results\.json in it yet; to make it: actsweep report "):
        read_results(StudyFolder(tmp_path))


def test_a_study_that_has_not_ended_says_so_with_the_command_that_goes_on(
    compose: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    study, record = Study(compose("experiment=smoke")), StudyRecord()
    (warning,) = _unfinished(StudyFolder(tmp_path), study, record)
    assert "0 of 8 trials have a result" in warning
    assert warning.endswith(f"To go on: actsweep resume {tmp_path}")
    record(StudyFinished(1.0))
    assert _unfinished(StudyFolder(tmp_path), study, record) == []


def test_results_of_an_earlier_version_are_refused_with_the_command_that_mends_them(tmp_path: Path) -> None:
    results = {"study": {}, "cells": [], "verdicts": [{"claim": "C1a", "verdict": "supported"}]}
    StudyFolder(tmp_path).results.write_text(json.dumps(results))
    with pytest.raises(RecordsError, match="is of an earlier version; to write it anew: actsweep report"):
        read_results(StudyFolder(tmp_path))
