"""A study's results as they were written."""

import json
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.records import StudyFolder
from actsweep.results import read_results


def test_they_are_read_as_they_are(tmp_path: Path) -> None:
    results = {"schema": 1, "study": {}, "cells": [], "verdicts": []}
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert read_results(StudyFolder(tmp_path)) == results


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", '"results"', "{}", '{"study": {}}'])
def test_a_damaged_file_is_refused_with_the_command_that_rebuilds_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(RecordsError, match=r"results\.json is damaged; to rebuild it: actsweep report "):
        read_results(StudyFolder(tmp_path))


def test_without_any_the_command_that_makes_them_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"no results\.json in it yet; to make it: actsweep report "):
        read_results(StudyFolder(tmp_path))
