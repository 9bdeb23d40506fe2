"""What is made from the ledger, each spoiled by itself: the check of that file fails, and no other."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from actsweep.events import (
    Evaluation,
)
from actsweep.records import StudyFolder
from actsweep.studies.results import rebuilt
from actsweep.studies.verifying import verify_study
from spoiling import events_of, failed, forge, notes, spoil


class TestCurves:
    def rewrite(self, study: StudyFolder, change: Callable[[pa.Table], pa.Table], **options: str) -> None:
        pq.write_table(change(pq.read_table(study.curves)), study.curves, **options)

    def put(self, table: pa.Table, column: str, values: pa.Array) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, values)

    def test_a_changed_cell_is_named(self, study: StudyFolder) -> None:
        self.rewrite(study, lambda table: self.put(table, "wall", pc.add(table["wall"], 1e-9)))
        found = verify_study(study.path)
        assert failed(found) == ["curves"]
        assert found.findings[0].place == "row 1, wall"

    def test_a_null_is_no_nan(self, study: StudyFolder) -> None:
        self.rewrite(study, lambda table: self.put(table, "test_acc", pc.fill_null(table["test_acc"], float("nan"))))
        found = verify_study(study.path)
        assert failed(found) == ["curves"]
        assert found.findings[0].problem == "is nan, by the ledger None"

    def test_a_nan_is_one_wherever_it_was_written(self, study: StudyFolder) -> None:
        forged = (
            replace(e, row={**e.row, "train_loss": float("nan")}) if isinstance(e, Evaluation) else e
            for e in events_of(study)
        )
        forge(study, forged)
        rebuilt(study)
        self.rewrite(study, lambda table: table, compression="none")
        assert "curves" not in failed(verify_study(study.path))

    @pytest.mark.parametrize(
        "change",
        [
            lambda table: table.slice(1),
            lambda table: table.drop_columns(["wall"]),
            lambda table: table.append_column("more", table["wall"]),
            lambda table: table.set_column(0, "trial_id", table["trial_id"].cast(pa.binary())),
        ],
    )
    def test_rows_and_columns_too_many_or_too_few_are_found(
        self, study: StudyFolder, change: Callable[[pa.Table], pa.Table]
    ) -> None:
        self.rewrite(study, change)
        assert failed(verify_study(study.path)) == ["curves"]

    def test_a_file_that_is_no_table_is_found(self, study: StudyFolder) -> None:
        study.curves.write_bytes(b"PAR1")
        assert failed(verify_study(study.path)) == ["curves"]


class TestResults:
    def test_a_changed_number_is_named(self, study: StudyFolder) -> None:
        results = json.loads(study.results.read_text())
        results["cells"][0]["n"] += 1
        study.results.write_text(json.dumps(results))
        found = verify_study(study.path)
        assert failed(found) == ["results"]
        assert found.findings[0].place == "cells[0].n"
        assert found.findings[0].mend == f"actsweep report {study.path}"

    @pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"study": 3, "cells": 3, "verdicts": {}}'])
    def test_a_file_that_holds_no_results_is_found(self, study: StudyFolder, content: str) -> None:
        study.results.write_text(content)
        assert failed(verify_study(study.path)) == ["results"]

    @pytest.mark.parametrize("name", ["curves", "results", "report"])
    def test_a_missing_file(self, study: StudyFolder, name: str) -> None:
        file: Path = getattr(study, name)
        file.unlink()
        found = verify_study(study.path)
        assert failed(found) == ["files"]
        assert found.findings[0].file == file.name

    def test_a_folder_may_have_another_name(self, study: StudyFolder) -> None:
        moved = study.path.rename(study.path.with_name("moved"))
        assert failed(verify_study(moved)) == []

    def test_the_page_is_that_of_the_results(self, study: StudyFolder) -> None:
        spoil(study.report, at=0.999)
        found = verify_study(study.path)
        assert failed(found) == ["report"]
        assert found.findings[0].place.startswith("line ")


class TestMirror:
    def test_a_damaged_one_can_be_made_anew(self, study: StudyFolder) -> None:
        study.optuna.write_bytes(b"none" * 5000)
        found = verify_study(study.path)
        assert failed(found) == ["mirror"]
        assert f"rm {study.optuna}, then actsweep resume {study.path}" in found.findings[0].mend

    def test_without_one_only_optunas_tools_lack_something(self, study: StudyFolder) -> None:
        study.optuna.unlink()
        found = verify_study(study.path)
        assert failed(found) == []
        assert "only Optuna's own tools need optuna.db" in notes(found)
