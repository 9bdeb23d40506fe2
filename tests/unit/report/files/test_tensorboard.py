from pathlib import Path
from typing import Any

import pytest

from actsweep.analysis import TrialCurve
from actsweep.errors import RequestError
from actsweep.report.files import write_tensorboard
from actsweep.tables.convert import open_source
from actsweep.tables.read import table_of
from actsweep.tables.schema import Schema
from actsweep.tables.trials import trial_curves
from rows_of_results import run

Row = dict[str, Any]


def test_what_is_written_is_read_back_by_our_own_reader(tmp_path: Path, results: Row, trials: list[TrialCurve]) -> None:
    write_tensorboard(tmp_path / "runs", results, trials)
    table = table_of(open_source(tmp_path / "runs", "tensorboard", Schema()), Schema())
    found = {trial.seed: trial for trial in trial_curves(table) if trial.arm == "relu"}
    assert len(found) == 10
    expected = next(trial for trial in trials if trial.trial_id == "relu-3")
    assert found[3].curve.epoch.tolist() == expected.curve.epoch.tolist()
    assert found[3].curve.val_acc == pytest.approx(expected.curve.val_acc, abs=1e-6)
    assert found[3].lr == pytest.approx(0.00316)


def test_it_takes_the_place_of_what_it_wrote_before_and_of_nothing_else(
    tmp_path: Path, results: Row, trials: list[TrialCurve]
) -> None:
    folder = tmp_path / "runs"
    write_tensorboard(folder, results, trials)
    before = sorted(path.name for path in folder.rglob("*") if path.is_dir())
    write_tensorboard(folder, results, trials)
    assert sorted(path.name for path in folder.rglob("*") if path.is_dir()) == before
    assert all(len(list(path.iterdir())) == 1 for path in (folder / "replicate").iterdir())
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(RequestError, match="move them away"):
        write_tensorboard(folder, results, trials)
    assert (folder / "mine.txt").exists()


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, results: Row) -> None:
    results["trials"] = [{**results["trials"][0], "trial_id": "../../outside"}]
    write_tensorboard(tmp_path / "in" / "runs", results, [run("../../outside", [0.1, 0.9])])
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["runs"]
