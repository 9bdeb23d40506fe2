"""The mirror is read with Optuna's own API, as its dashboard does."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from actsweep.events import (
    Evaluation,
    Event,
    RangeWidened,
    StopSpared,
    StudyRecord,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records import StudyFolder
from actsweep.search.mirror import Mirror
from actsweep.settings import StudyConfig
from actsweep.study import Cell, Study, Trial
from actsweep.study.space import Value

Compose = Callable[..., StudyConfig]
WORDS = ("experiment=smoke", "scheduler=asha", "trainer.epochs=4")
STARTED = StudyStarted("s", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


@pytest.fixture
def study(compose: Compose) -> Study:
    return Study(compose(*WORDS))


def events(trial: Trial, end: str, accuracies: tuple[float | None, ...] = (0.1, 0.6, 0.5)) -> list[Event]:
    """A trial from its start to its end."""
    name, start = trial.trial_id, 100.0
    begun = TrialStarted(name, 1, trial.phase, trial.block, 7, trial.cell.values, trial.nuisance, start)
    rows = [
        Evaluation(name, 1, {"epoch": epoch, "val_acc": accuracy, "train_loss": 1.0, "wall": 2.0 * epoch}, start)
        for epoch, accuracy in enumerate(accuracies)
    ]
    ends: Mapping[str, list[Event]] = {
        "stopped": [TrialStopped(name, 1, 1, start)],
        "spared": [StopSpared(name, 1, 1, start), TrialFinished(name, 1, "completed", {}, start)],
        "failed": [TrialFailed(name, 1, "error", "no", False, start)],
        "running": [],
    }
    return [begun, *rows, *ends.get(end, [TrialFinished(name, 1, end, {}, start)])]


def record_of(*happened: Event) -> StudyRecord:
    record = StudyRecord()
    for event in (STARTED, *happened):
        record(event)
    return record


def write(study: Study, record: StudyRecord, folder: StudyFolder) -> None:
    Mirror(study, folder, record).close()


def at(study: Study, lr: float, cell: int = 0) -> Trial:
    return study.tune_trial(study.cells[cell], 0, {"optimizer.lr": lr})


def read(folder: StudyFolder) -> list[FrozenTrial]:
    storage = f"sqlite:///{folder.optuna}"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def test_states_values_and_curves_are_the_ledgers(study: Study, folder: StudyFolder) -> None:
    ends = ("completed", "stopped", "diverged", "failed", "running", "spared")
    tuned = [at(study, 0.001 * (1 + number)) for number in range(len(ends))]
    replicate = study.seeded_trials("replicate", study.cells[0], 0, {"optimizer.lr": 0.001})[0]
    happened = [event for trial, end in zip(tuned, ends, strict=True) for event in events(trial, end)]
    write(study, record_of(*happened, *events(replicate, "completed")), folder)
    complete, pruned, diverged, failed, spared = read(folder)
    assert [complete.state, diverged.state, spared.state] == [TrialState.COMPLETE] * 3
    assert (pruned.state, failed.state) == (TrialState.PRUNED, TrialState.FAIL)
    assert [trial.number for trial in read(folder)] == list(range(5))
    assert (complete.value, pruned.value, failed.value, spared.value) == (0.6, 0.6, None, 0.6)
    assert diverged.value == pytest.approx(0.1)
    assert complete.params == {"activation": "relu", "depth": 3, "lr": 0.001}
    assert complete.intermediate_values == {0: 0.1, 1: 0.6, 2: 0.5}
    expected = {"trial_id": tuned[0].trial_id, "block": 0, "seed": 7, "status": "completed"}
    assert complete.user_attrs == expected
    assert (pruned.user_attrs["rung"], spared.user_attrs["rung"]) == (1, 1)
    assert complete.duration is not None
    assert complete.duration.total_seconds() == 4.0


def test_where_it_cannot_be_written_the_study_goes_on_and_a_later_batch_makes_it_anew(
    study: Study, tmp_path: Path
) -> None:
    folder = StudyFolder(tmp_path / "not there yet")
    mirror = Mirror(study, folder, record_of(), every=0.0)
    for event in events(at(study, 0.001), "completed"):
        mirror(event)
    folder.path.mkdir()
    for event in events(at(study, 0.002), "completed"):
        mirror(event)
    assert len(read(folder)) == 2


def test_what_is_written_is_what_optuna_itself_would_write(study: Study, folder: StudyFolder, tmp_path: Path) -> None:
    curves = ((0.1, math.nan, 0.3), (0.1, None), (0.1, 0.2))
    happened = [
        event
        for number, (accuracies, end) in enumerate(zip(curves, ("completed", "diverged", "failed"), strict=True))
        for event in events(at(study, 0.01 * (1 + number), number % 2), end, accuracies)
    ]
    write(study, record_of(*happened), folder)
    ours = read(folder)
    other = optuna.create_study(study_name="s", storage=f"sqlite:///{tmp_path}/o.db", direction="maximize")
    other.add_trials(ours)
    assert str(other.get_trials()) == str(ours)  # as text, in which nan equals nan
    assert len(ours) == 3


def test_a_dashboard_that_looks_on_sees_each_batch(study: Study, folder: StudyFolder) -> None:
    mirror = Mirror(study, folder, record_of(), every=0.0)
    for event in events(at(study, 0.001), "completed"):
        mirror(event)
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder.optuna}")
    dashboard = optuna.load_study(study_name="smoke", storage=storage)
    assert len(dashboard.trials) == 1
    for number in range(1, 4):
        for event in events(at(study, 0.001 * (1 + number)), "stopped"):
            mirror(event)
        assert len(dashboard.trials) == number + 1
    assert [trial.number for trial in dashboard.trials] == [0, 1, 2, 3]


def test_nothing_is_written_before_it_is_time(study: Study, folder: StudyFolder) -> None:
    mirror = Mirror(study, folder, record_of(), every=1000.0)
    for event in events(at(study, 0.001), "completed"):
        mirror(event)
    assert not folder.optuna.exists()
    mirror.close()
    assert len(read(folder)) == 1


def test_a_later_driver_goes_on_and_a_failed_trial_that_ran_again_has_one_entry(
    study: Study, folder: StudyFolder
) -> None:
    before = record_of(*events(at(study, 0.001), "failed"), *events(at(study, 0.002), "completed"))
    write(study, before, folder)
    mirror = Mirror(study, folder, before, every=0.0)
    for event in (*events(at(study, 0.003), "completed"), *events(at(study, 0.001), "completed")):
        mirror(event)
    mirror.close()
    assert sorted(trial.params["lr"] for trial in read(folder)) == [0.001, 0.002, 0.003]
    assert {trial.state for trial in read(folder)} == {TrialState.COMPLETE}


def test_a_file_that_was_taken_away_or_damaged_is_made_anew(study: Study, folder: StudyFolder) -> None:
    mirror = Mirror(study, folder, record_of(), every=0.0)
    spoil: list[Callable[[], Any]] = [lambda: None, folder.optuna.unlink, lambda: folder.optuna.write_text("no" * 5000)]
    for number, damage in enumerate(spoil):
        damage()
        for event in events(at(study, 0.001 * (1 + number)), "completed"):
            mirror(event)
        assert len(read(folder)) == number + 1


def test_what_a_killed_process_left_is_not_taken_for_a_part_of_a_new_file(study: Study, folder: StudyFolder) -> None:
    left = folder.optuna.with_name("optuna.db-journal")
    left.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 100)
    write(study, record_of(*events(at(study, 0.001), "completed")), folder)
    assert not left.exists()
    assert len(read(folder)) == 1
    assert not list(folder.path.glob(".optuna*"))


def test_a_range_that_grew_is_one_range_for_all_trials(study: Study, folder: StudyFolder) -> None:
    mirror = Mirror(study, folder, record_of(), every=0.0)
    for event in (
        *events(at(study, 0.1), "completed"),
        RangeWidened("optimizer.lr", "high", 0.0),
        *events(at(study, 0.3), "completed"),
    ):
        mirror(event)
    mirror.close()
    (found,) = {str(trial.distributions["lr"]): trial.distributions["lr"] for trial in read(folder)}.values()
    assert isinstance(found, FloatDistribution)
    assert (found.low, found.log) == (1e-4, True)
    assert found.high == pytest.approx(0.1 * 1000**0.5)


def arms(compose: Compose, **ranges: str) -> Study:
    words = [f"+study.arms.{name}={{model:{{activation:{name}}},optimizer:{{lr:{lr}}}}}" for name, lr in ranges.items()]
    return Study(compose(*WORDS, "study.arms={}", *words))


def mirrored(study: Study, folder: StudyFolder, *values: tuple[Cell, Value]) -> list[FrozenTrial]:
    happened = [
        event for cell, lr in values for event in events(study.tune_trial(cell, 0, {"optimizer.lr": lr}), "completed")
    ]
    write(study, record_of(*happened), folder)
    return read(folder)


def test_arms_with_ranges_of_their_own_share_the_range_that_holds_both(compose: Compose, folder: StudyFolder) -> None:
    log = "{distribution: log_uniform, min: %s, max: %s}"
    study = arms(compose, relu=log % (1e-5, 1e-3), sigmoid=log % (1e-2, 1))
    trials = mirrored(study, folder, (study.cells[0], 1e-5), (study.cells[1], 1.0))
    assert [trial.params["arm"] for trial in trials] == ["relu", "sigmoid"]
    for trial in trials:
        assert trial.distributions["lr"] == FloatDistribution(1e-5, 1.0, log=True)


def test_arms_with_distributions_of_other_kinds_have_a_parameter_each(compose: Compose, folder: StudyFolder) -> None:
    study = arms(
        compose,
        relu="{distribution: uniform, min: 0.1, max: 0.2}",
        sigmoid="{distribution: choice, values: [0.01, 0.02]}",
    )
    relu, sigmoid = mirrored(study, folder, (study.cells[0], 0.15), (study.cells[1], 0.02))
    assert relu.params == {"arm": "relu", "depth": 3, "lr (uniform)": 0.15}
    assert sigmoid.params == {"arm": "sigmoid", "depth": 3, "lr (choice)": 0.02}


def test_arms_with_choices_of_their_own_share_all_of_them(compose: Compose, folder: StudyFolder) -> None:
    choice = "{distribution: choice, values: %s}"
    study = arms(compose, relu=choice % "[0.1, 0.2]", sigmoid=choice % "[0.2, 0.3]")
    trials = mirrored(study, folder, (study.cells[0], 0.1), (study.cells[1], 0.3))
    for trial in trials:
        assert trial.distributions["lr"] == CategoricalDistribution((0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("data.augment", [True, False]),
        ("data.train", [None, 128]),
        ("optimizer.weight_decay", [0, 0.5]),
    ],
)
def test_values_of_any_type_are_kept(compose: Compose, folder: StudyFolder, option: str, values: list[Any]) -> None:
    words = f"[{','.join('null' if value is None else str(value).lower() for value in values)}]"
    study = Study(compose(*WORDS, f"+study.scientific.{option}={words}"))
    trials = mirrored(study, folder, *((cell, 0.01) for cell in study.cells))
    assert [trial.params[option.split(".")[1]] for trial in trials] == values * 2


def test_values_that_python_takes_for_equal_are_told_apart(compose: Compose, folder: StudyFolder) -> None:
    study = Study(compose(*WORDS, "~study.nuisance.optimizer", "+study.nuisance.optimizer.momentum=[0,0.0,0.5]"))
    for number in (0, 0.0):
        happened = events(study.tune_trial(study.cells[0], 0, {"optimizer.momentum": number}), "completed")
        write(study, record_of(*happened), folder)
        assert read(folder)[0].params["momentum"] == str(number)


def test_a_value_that_is_written_otherwise_now_is_the_same_value(compose: Compose, folder: StudyFolder) -> None:
    before, now = (Study(compose(*WORDS, f"+study.scientific.model.dropout=[{zero},0.5]")) for zero in ("0", "0.0"))
    happened = events(before.tune_trial(before.cells[0], 0, {"optimizer.lr": 0.01}), "completed")
    write(now, record_of(*happened), folder)
    assert read(folder)[0].params["dropout"] == 0.0


def test_many_trials_cost_the_driver_little(study: Study, folder: StudyFolder) -> None:
    happened = [
        event for number in range(300) for event in events(at(study, 1e-4 * (1 + number)), "completed", (0.5,) * 41)
    ]
    record = record_of(*happened)
    began = time.process_time()
    write(study, record, folder)
    assert time.process_time() - began < 3.0  # Optuna's own way takes 8
    assert len(read(folder)) == 300
