import math
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StepCost,
    StudyRecord,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import curve_rows, write_curves
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial


def events(trial: Trial, *, status: str = "completed", losses: tuple[float, ...] = (2.3, 1.0)) -> list[Event]:
    start = TrialStarted(
        trial.trial_id, 1, trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance, 0.0
    )
    rows = [
        Evaluation(trial.trial_id, 1, {"epoch": epoch, "step": 9 * epoch, "val_acc": 0.1, "train_loss": loss}, 0.0)
        for epoch, loss in enumerate(losses)
    ]
    if status == "failed":
        return [start, *rows, TrialFailed(trial.trial_id, 1, "error", "x", False, 0.0)]
    chosen = [PointChosen(trial.cell.values, trial.block, trial.nuisance, 0.0)] * (trial.phase == "replicate")
    return [*chosen, start, *rows, TrialFinished(trial.trial_id, 1, status, {"test_acc": 0.5}, 0.0)]


def folded(*groups: list[Event]) -> StudyRecord:
    record = StudyRecord()
    for group in groups:
        for event in group:
            record(event)
    return record


def trials(study: Study) -> list[Trial]:
    tune = [study.tune_trial(cell, 0, {"optimizer.lr": 0.01}) for cell in study.cells]
    return [
        *tune,
        *(trial for cell in study.cells for trial in study.seeded_trials("replicate", cell, 0, {"optimizer.lr": 0.01})),
    ]


def test_rows_come_in_the_same_order_whenever_trials_ran(compose: Callable[..., StudyConfig]) -> None:
    study = Study(compose("experiment=smoke"))
    ran = [events(trial) for trial in trials(study)]
    forwards, backwards = list(curve_rows(study, folded(*ran))), list(curve_rows(study, folded(*reversed(ran))))
    assert forwards == backwards
    assert [rows[0]["phase"] for rows in forwards] == ["tune"] * 2 + ["replicate"] * 4
    assert [rows[0]["activation"] for rows in forwards] == ["relu", "sigmoid", "relu", "relu", "sigmoid", "sigmoid"]


def test_what_is_measured_once_stands_on_the_last_row(compose: Callable[..., StudyConfig]) -> None:
    study = Study(compose("experiment=smoke"))
    ((first, last),) = curve_rows(study, folded(events(trials(study)[0])))
    assert ("test_acc" in first, "status" in first) == (False, False)
    assert (last["test_acc"], last["status"], last["lr"], last["block"]) == (0.5, "completed", 0.01, 0)


def test_only_trials_that_ended_have_rows(compose: Callable[..., StudyConfig]) -> None:
    study = Study(compose("experiment=smoke"))
    one, two, three, *_ = trials(study)
    record = folded(events(one)[:-1], events(two, status="failed"), events(three, status="failed", losses=()))
    assert [rows[0]["trial_id"] for rows in curve_rows(study, record)] == [two.trial_id]


def test_parquet_tells_not_recorded_from_not_a_number(tmp_path: Path, compose: Callable[..., StudyConfig]) -> None:
    study = Study(compose("experiment=smoke"))
    record = folded(events(trials(study)[0], status="diverged", losses=(2.3, math.nan)))
    write_curves(tmp_path / "curves.parquet", study, curve_rows(study, record))
    table = pq.read_table(tmp_path / "curves.parquet")
    losses = table["train_loss"]
    assert losses.null_count == 0
    assert math.isnan(losses[1].as_py())
    assert table["val_loss"].null_count == 2
    assert table["activation"].to_pylist() == ["relu", "relu"]
    assert table.schema.field("epoch").type == "int64"


def test_a_setting_whose_values_are_of_several_kinds_becomes_text(
    tmp_path: Path, compose: Callable[..., StudyConfig]
) -> None:
    study = Study(
        compose(
            "experiment=smoke", "+study.scientific.data.train=[128,null]", "+study.scientific.model.dropout=[0,0.5]"
        )
    )
    record = folded(*(events(study.tune_trial(cell, 0, {"optimizer.lr": 0.01})) for cell in study.cells))
    write_curves(tmp_path / "curves.parquet", study, curve_rows(study, record))
    table = pq.read_table(tmp_path / "curves.parquet")
    assert set(table["train"].to_pylist()) == {"128", "null"}
    assert {rows[0]["train"] for rows in curve_rows(study, record)} == {"128", "null"}
    assert set(table["dropout"].to_pylist()) == {"0", "0.5"}


def test_a_replicate_of_a_point_that_is_no_longer_chosen_does_not_count(compose: Callable[..., StudyConfig]) -> None:
    study = Study(compose("experiment=smoke"))
    old, new = [study.seeded_trials("replicate", study.cells[0], 0, {"optimizer.lr": lr})[0] for lr in (0.01, 0.02)]
    assert [rows[0]["trial_id"] for rows in curve_rows(study, folded(events(old), events(new)))] == [new.trial_id]


def test_a_crossed_trial_counts_at_the_point_chosen_for_another_arm_of_its_stratum(
    compose: Callable[..., StudyConfig],
) -> None:
    study = Study(compose("experiment=smoke", "study.replicate.cross=true", "study.scientific.model.depth=[2,3]"))
    relu, relu_3, sigmoid, _ = study.cells
    crossed = {lr: study.seeded_trials("cross", relu, 0, {"optimizer.lr": lr})[0] for lr in (0.01, 0.02, 0.03, 0.04)}
    chosen: list[Event] = [
        PointChosen(cell.values, block, {"optimizer.lr": lr}, 0.0)
        for cell, block, lr in ((sigmoid, 0, 0.01), (relu, 0, 0.02), (relu_3, 0, 0.03), (sigmoid, 1, 0.04))
    ]
    record = folded(chosen, *map(events, crossed.values()))
    assert [rows[0]["lr"] for rows in curve_rows(study, record)] == [0.01]


def test_a_table_of_many_cells_takes_time_by_the_trial_not_by_the_cell(compose: Callable[..., StudyConfig]) -> None:
    depths = ",".join(map(str, range(1, 100)))
    study = Study(compose("experiment=smoke", f"study.scientific.model.depth=[{depths}]"))
    ran = (events(study.tune_trial(cell, block, {"optimizer.lr": 0.01})) for cell in study.cells for block in range(5))
    record = folded(*ran)
    began = time.process_time()
    assert len(list(curve_rows(study, record))) == 990
    assert time.process_time() - began < 1.0  # looking through all cells for each trial takes several times that


def test_the_learning_rate_is_there_where_it_is_not_swept(compose: Callable[..., StudyConfig]) -> None:
    words = ("~study.nuisance.optimizer", "+study.nuisance.model.dropout=[0,0.5]", "optimizer.lr=0.02")
    study = Study(compose("experiment=smoke", *words))
    (rows,) = curve_rows(study, folded(events(study.tune_trial(study.cells[0], 0, {"model.dropout": 0}))))
    assert (rows[0]["lr"], rows[0]["dropout"]) == (0.02, 0.0)


def test_time_on_a_shared_gpu_is_that_of_steps_measured_alone(compose: Callable[..., StudyConfig]) -> None:
    def seconds(gpu: float, source: str, step_ms: float | None) -> list[tuple[object, object]]:
        study = Study(compose("experiment=smoke", f"cluster.resources.gpu={gpu}"))
        trial = study.seeded_trials("replicate", study.cells[0], 0, {"optimizer.lr": 0.01})[0]
        recorded = [
            Evaluation(e.trial_id, e.attempt, {**e.row, "seconds": 7.0, "seconds_from": source}, e.time)
            if isinstance(e, Evaluation)
            else e
            for e in events(trial)
        ]
        cost = [StepCost(trial.trial_id, step_ms, 0.0)] if step_ms else []
        (rows,) = curve_rows(study, folded([*recorded, *cost]))
        return [(row["seconds"], row["seconds_from"]) for row in rows]

    assert seconds(0.25, "wall", 200.0) == [(0.0, "steps"), (1.8, "steps")]
    assert seconds(0.25, "wall", None) == [(None, None)] * 2
    assert seconds(1, "wall", 200.0) == [(7.0, "wall")] * 2
    assert seconds(0.25, "cpu", 200.0) == [(7.0, "cpu")] * 2
