"""The views of a study at W&B, as objects."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import wandb_workspaces.reports.v2 as wr

from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.tracker import StudyOutcome
from actsweep.tracker.published.dashboard import Place, replicates_view, report, tuning_view

PLACE = Place("someone", "actsweep", "0123abcd")


@pytest.fixture
def study(compose: Callable[..., StudyConfig]) -> Study:
    return Study(compose("experiment=smoke", "study.scientific.model.depth=[3,4]"))


def panels(view: Any) -> list[Any]:
    return [panel for section in view.sections for panel in section.panels]


def spec(view: Any) -> dict[str, Any]:
    section: dict[str, Any] = json.loads(view._to_model().spec.model_dump_json(by_alias=True))["section"]
    return section


def test_the_replicates_are_shown_by_arm_and_by_epoch(study: Study, outcome: StudyOutcome) -> None:
    view = replicates_view(study, PLACE, outcome)
    (runs,) = spec(view)["runSets"]
    assert runs["grouping"] == [{"section": "config", "name": "activation.value"}]
    assert [(one["key"]["name"], one["value"]) for one in runs["filters"]["filters"]] == [
        ("study_id", "0123abcd"),
        ("phase", ["replicate", "study"]),
    ]
    assert spec(view)["settings"]["xAxis"] == "epoch"
    lines = {panel.y[0]: panel for panel in panels(view) if isinstance(panel, wr.LinePlot)}
    assert lines.keys() == {"val_acc", "train_loss", "gap"}
    for line in lines.values():
        assert (line.x, line.groupby) == ("epoch", wr.Config("activation"))
        assert (line.groupby_aggfunc, line.groupby_rangefunc) == ("median", "minmax")
    bars = [panel.metrics[0].name for panel in panels(view) if isinstance(panel, wr.BarPlot)]
    assert bars == ["epochs_to_target_hi", "seconds_to_target_hi", "test_acc", "gap_match", "gap_end"]


def test_the_gap_is_shown_against_depth_where_depth_is_compared(study: Study, outcome: StudyOutcome) -> None:
    (scatter,) = [one for one in panels(replicates_view(study, PLACE, outcome)) if isinstance(one, wr.ScatterPlot)]
    assert (scatter.x, scatter.y) == (wr.Config("depth"), wr.SummaryMetric("gap_end"))


def test_tuning_has_all_that_was_swept_and_what_it_gave(study: Study) -> None:
    view = tuning_view(study, PLACE)
    assert spec(view)["runSets"][0]["filters"]["filters"][1]["value"] == ["tune"]
    parallel, importance, scatter = panels(view)
    assert [(column.metric.name, column.log) for column in parallel.columns] == [
        ("activation", None),
        ("depth", None),
        ("lr", True),
        ("best_val_acc", None),
        ("gap_end", None),
    ]
    assert importance.with_respect_to == "best_val_acc"
    assert (scatter.x, scatter.y, scatter.log_x) == (wr.Config("lr"), wr.SummaryMetric("best_val_acc"), True)


def test_what_the_study_came_to_is_shown_from_its_own_run(study: Study, outcome: StudyOutcome) -> None:
    *tables, media = replicates_view(study, PLACE, outcome).sections[-1].panels
    assert [table.table_name for table in tables] == ["cells", "comparisons", "verdicts"]
    assert len(media.media_keys) == len(outcome.figures)


def test_the_report_says_the_answer_the_verdicts_and_shows_the_panels(study: Study, outcome: StudyOutcome) -> None:
    page = report(study, PLACE, outcome)
    assert (page.title, page.entity, page.project) == ("smoke", "someone", "actsweep")
    (said,) = [block.text for block in page.blocks if isinstance(block, wr.P)]
    assert said == outcome.headline
    (table,) = [block.text for block in page.blocks if isinstance(block, wr.MarkdownBlock)]
    assert all(f"| {row['claim']} " in table for row in outcome.results["verdicts"])
    grids = [block for block in page.blocks if isinstance(block, wr.PanelGrid)]
    assert [grid.runsets[0].name for grid in grids] == ["replicate", "replicate", "tune", "study"]
    assert all(grid.panels for grid in grids)


def test_named_arms_are_no_setting_to_correlate_with(compose: Callable[..., StudyConfig]) -> None:
    arms = "study.arms={plain: {model: {activation: relu}}, other: {model: {activation: tanh}}}"
    study = Study(compose("experiment=smoke", "study.scientific={}", arms, "study.reference=plain"))
    names = [column.metric.name for column in panels(tuning_view(study, PLACE))[0].columns]
    assert "lr" in names
    assert not {"model.activation", "arm"} & set(names)
