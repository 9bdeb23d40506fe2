from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import actsweep
from actsweep.errors import RecordsError


def test_a_study_is_loaded_as_tables(smoke: Any) -> None:
    study = actsweep.load(smoke.folder)
    assert study.results == smoke.results
    assert (len(study.trials), len(study.cells), len(study.verdicts)) == (8, 2, 10)
    assert len(study.curves) == 8 * 3
    cell = study.cells.set_index("activation").loc["relu"]
    replicates = study.curves[(study.curves.phase == "replicate") & (study.curves.activation == "relu")]
    assert cell.test_acc_mean == pytest.approx(replicates.test_acc.dropna().mean())
    assert set(study.comparisons.endpoint) >= {"r_epochs_hi", "r_cost", "d_test_acc", "p_a_better"}


def test_a_studys_own_curves_analysed_as_anyones_give_its_results(smoke: Any) -> None:
    again = actsweep.analyze(smoke.folder / "curves.parquet")
    for part in ("targets", "trials", "cells", "comparisons", "verdicts", "learning_rate_view"):
        assert again[part] == smoke.results[part]
    assert actsweep.analyze(actsweep.load(smoke.folder).curves)["verdicts"] == smoke.results["verdicts"]


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"no results.json in it yet; to make it: actsweep report"):
        actsweep.load(tmp_path)
    with pytest.raises(RecordsError, match="nowhere holds no study: there is no such folder"):
        actsweep.load(tmp_path / "nowhere")


def test_a_study_is_shown_by_its_folder_and_not_by_all_it_holds(smoke: Any) -> None:
    assert repr(actsweep.load(smoke.folder)) == f"LoadedStudy(path={smoke.folder!r})"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        actsweep.nothing  # noqa: B018


@pytest.mark.slow
def test_studies_stand_side_by_side(actsweep: Callable[..., Any], smoke: Any, tmp_path: Path) -> None:
    words = ("experiment=smoke", "run.name=wider", "model.width=8", "tracker=none")
    assert actsweep("sweep", *words, cwd=tmp_path).returncode == 0
    done = actsweep("compare", str(smoke.folder), str(tmp_path / "outputs" / "wider"))
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["model.width", "4", "8"] in lines
    assert ["tracker.name", "wandb_offline", "none"] in lines
    assert not any(line[:1] == ["trainer.epochs"] for line in lines)
    assert sum(line[:1] == ["C5"] for line in lines) == 1
