"""The results of a table: those of a live study, those known by hand, and the rules for phases."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from actsweep.errors import RequestError, TableError
from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyFinished,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Ledger, StudyFolder
from actsweep.settings import StudyConfig
from actsweep.studies.results import rebuilt
from actsweep.study import Study, Trial
from actsweep.tables import analyze, read_frame, read_table, trial_curves
from curve_tables import Row, make_rows, pick, without, write_csv

GOLDEN = Path(__file__).parents[2] / "golden" / "curves"
NAN = float("nan")


def analyzed(rows: Sequence[Row], **options: Any) -> dict[str, Any]:
    return analyze(pd.DataFrame(rows), **options)


class TestLiveStudy:
    """The curves that a live study writes lead back to its own results."""

    @staticmethod
    def events(trial: Trial, place: int) -> list[Event]:
        """What happens to a trial: most train, every seventh diverges, every ninth fails."""
        start = TrialStarted(
            trial.trial_id, 1, trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance, 0.0
        )
        shift = 0.001 * place
        rows = [
            {
                "epoch": epoch,
                "step": 2 * epoch,
                "seconds": 0.5 * epoch + shift,
                "wall": 0.7 * epoch,
                "train_loss": 2.3 - 0.3 * epoch + shift,
                "train_acc": 0.1 + 0.06 * epoch + shift,
                "val_loss": 2.3,
                "val_acc": 0.1 + 0.05 * epoch + shift,
                "grad_slope": -0.1 + shift,
                "saturated": None if trial.cell.values["model.activation"] == "relu" else 0.2 + shift,
                "seconds_from": "cpu",
            }
            for epoch in range(11)
        ]
        final = {"test_acc": 0.6 + shift, "test_loss": 1.0, "best_test_acc": 0.61 + shift}
        if place % 9 == 8:
            end: Event = TrialFailed(trial.trial_id, 1, "error", "out of memory", False, 0.0)
            rows = rows[:4]
        elif place % 7 == 6:
            end = TrialFinished(trial.trial_id, 1, "diverged", {}, 0.0)
            rows = [*rows[:5], rows[5] | {"train_loss": NAN, "val_acc": 0.1}]
        else:
            end = TrialFinished(trial.trial_id, 1, "completed", final, 0.0)
        return [start, *(Evaluation(trial.trial_id, 1, row, 0.0) for row in rows), end]

    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("+study.scientific.model.depth=[3,5]", "study.replicate.seeds=6"),
            ("+study.scientific.data.augment=[true,false]", "+study.scientific.model.dropout=[0.0,0.5]"),
        ],
    )
    def test_they_give_the_same_results(
        self, tmp_path: Path, compose: Callable[..., StudyConfig], words: tuple[str, ...]
    ) -> None:
        config = compose(
            "experiment=smoke", "study.tune.blocks=2", "study.replicate.seeds=4", "trainer.epochs=10", *words
        )
        study, folder = Study(config), StudyFolder(tmp_path / "smoke")
        folder.write_config(config)
        points = [{"optimizer.lr": lr} for lr in (0.001, 0.02)]
        tune = [study.tune_trial(cell, block, lr) for cell in study.cells for block in (0, 1) for lr in points]
        replicates = [
            trial
            for cell in study.cells
            for block in (0, 1)
            for trial in study.seeded_trials("replicate", cell, block, points[block])
        ]
        with Ledger(folder.ledger) as ledger:
            ledger(StudyStarted(config.run.name, {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 0.0))
            for cell in study.cells:
                for block in (0, 1):
                    ledger(PointChosen(cell.values, block, points[block], 0.0))
            for place, trial in enumerate([*tune, *replicates]):
                for event in self.events(trial, place):
                    ledger(event)
            ledger(StudyFinished(0.0))
        live = rebuilt(folder).results
        stratum = tuple(live["study"]["stratum"].split(","))
        found = analyze(folder.curves, reference="relu", name=config.run.name, stratum=stratum)
        assert set(found["study"]["warnings"]) <= set(live["study"]["warnings"])
        for name in ("warnings", "data", "failures", "stopping"):
            live["study"].pop(name, None)
            found["study"].pop(name, None)
        for name in ("importance", "nuisance"):
            del live[name]
        assert found == live
        assert found == json.loads(json.dumps(found))
        assert live["study"]["trials"]["failed"] > 0
        assert live["study"]["trials"]["diverged"] > 0


class TestGolden:
    """A table small enough to check by hand: see the comment in its test."""

    def test_the_results_of_a_small_table(self) -> None:
        """All that the golden file holds; measures and claims that came later have tests of their own."""
        results = analyze(GOLDEN / "small.csv", level=0.995)
        expected = json.loads((GOLDEN / "small.json").read_text())
        claims = {row["claim"] for row in expected["verdicts"]}
        results["verdicts"] = [row for row in results["verdicts"] if row["claim"] in claims]
        assert _rounded(_known(results, expected)) == _rounded(expected)

    def test_what_can_be_known_by_hand(self) -> None:
        """Both arms climb 0.2 an epoch and are cut at 0.9; tanh starts two epochs late, its seed 2 diverges."""
        results = analyze(GOLDEN / "small.csv", target_hi=0.5, target_lo=0.3)
        relu, tanh = results["cells"]
        assert (relu["n"], relu["rmst_epochs_hi"], relu["rmst_epochs_lo"]) == (3, 2, 1)
        assert (tanh["n"], tanh["healthy"], tanh["reached_hi"]) == (3, 2, pytest.approx(2 / 3))
        assert tanh["rmst_epochs_hi"] == pytest.approx((4 + 4 + 6) / 3)
        ratio = pick(results["comparisons"], endpoint="r_epochs_hi")[0]
        assert (ratio["estimate"], ratio["bound"]) == (pytest.approx(14 / 6), "at_least")
        assert tanh["test_acc_mean"] == pytest.approx((0.8 + 0.82 + 0.1) / 3)


def _known(found: Any, expected: Any) -> Any:
    """What is found, without the keys that are not expected."""
    if isinstance(expected, dict):
        return {name: _known(found.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and len(found) == len(expected):
        return [_known(one, other) for one, other in zip(found, expected, strict=True)]
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 9) if isinstance(value, float) else value


class TestPhases:
    @staticmethod
    def phases(rows: Sequence[Row]) -> set[str]:
        return {trial.phase for trial in trial_curves(read_frame(pd.DataFrame(rows)))}

    def test_without_a_phase_all_trials_are_replicates(self) -> None:
        assert self.phases(make_rows(phase=None)) == {"replicate"}

    def test_unless_a_block_of_a_cell_has_several_lr(self) -> None:
        rows = [row | {"phase": None, "lr": 0.1 ** row["seed"]} for row in make_rows()]
        assert self.phases(rows) == {"tune"}
        assert self.phases([row | {"block": row["seed"]} for row in rows]) == {"replicate"}
        assert self.phases([row | {"depth": row["seed"]} for row in rows]) == {"replicate"}
        one = [row | {"lr": 0.5 if row["trial_id"] == "tanh-1" else 0.01, "phase": None} for row in make_rows()]
        assert self.phases(one) == {"tune"}

    def test_then_no_verdict_is_assessable_and_the_results_say_why(self) -> None:
        rows = [row | {"lr": 0.1 ** row["seed"]} for row in make_rows()]
        results = analyzed([{k: v for k, v in row.items() if k != "phase"} for row in rows])
        assert {row["verdict"] for row in results["verdicts"]} == {"not assessable"}
        assert results["study"]["trials"]["tune"] == 4
        assert any("The table has no phase" in warning for warning in results["study"]["warnings"])

    def test_tune_trials_that_are_called_so_need_no_explanation(self) -> None:
        results = analyzed(make_rows(phase="tune"))
        assert not any("has no phase" in warning for warning in results["study"]["warnings"])


class TestWarnings:
    def test_epoch_0_missing_in_all_trials(self) -> None:
        results = analyzed(without(make_rows(grad_slope=-0.1), epoch=0))
        assert any("No trial was evaluated at epoch 0" in warning for warning in results["study"]["warnings"])
        assert {(row["nauc"], row["grad_slope"]) for row in results["trials"]} == {(None, None)}

    def test_a_failed_trial_changes_nothing_of_this(self) -> None:
        failed = [row | {"trial_id": "x", "seed": 9, "status": "failed"} for row in make_rows(("relu",), (0,), 0)]
        results = analyzed([*without(make_rows(), epoch=0), *failed])
        assert any("No trial was evaluated at epoch 0" in warning for warning in results["study"]["warnings"])

    def test_a_test_accuracy_that_is_not_on_the_last_row(self) -> None:
        rows = make_rows()
        rows[1]["test_acc"], rows[3]["test_acc"] = 0.7, None
        results = analyzed(rows)
        expected = "test_acc is read from a trial's last row only: 1 trial has it on other rows."
        assert expected in results["study"]["warnings"]
        assert not any("last row only" in warning for warning in analyzed(make_rows())["study"]["warnings"])


class TestOptions:
    def test_relu_is_the_usual_reference(self) -> None:
        assert analyzed(make_rows())["study"]["reference"] == "relu"
        assert analyzed(make_rows(), reference="tanh")["study"]["reference"] == "tanh"

    def test_without_relu_a_reference_is_required(self) -> None:
        with pytest.raises(
            RequestError, match=r"--reference is required where no arm is called relu; .* has gelu, tanh"
        ):
            analyzed(make_rows(("tanh", "gelu")))
        with pytest.raises(RequestError, match=r"--reference sine: is no activation of the table; .* has relu, tanh"):
            analyzed(make_rows(), reference="sine")

    def test_they_reach_the_analysis(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "my.curves.csv", make_rows())
        results = analyze(path, classes=5, target_hi=0.4, target_lo=0.3, level=0.9, horizon=2)
        study, target = results["study"], results["targets"][0]
        assert (study["name"], study["classes"], study["level"], study["horizon"]) == ("my.curves", 5, 0.9, 2)
        assert (target["hi"], target["lo"]) == (0.4, 0.3)
        assert {row["test_acc"] for row in results["trials"]} == {None}

    def test_those_out_of_range_are_refused_before_anything_is_read(self) -> None:
        with pytest.raises(RequestError, match="--classes must be 2 or more"):
            analyze("there is no such file", classes=1)

    def test_a_table_keeps_its_own_factor(self, tmp_path: Path) -> None:
        rows = [
            {("act" if name == "activation" else name): value for name, value in row.items()} for row in make_rows()
        ]
        table = read_table(write_csv(tmp_path / "a.csv", rows), factor="act")
        assert analyze(table)["study"]["factor"] == "act"
        assert analyze(tmp_path / "a.csv", mapping={"activation": "act"})["study"]["factor"] == "activation"

    def test_a_refused_table_is_refused(self) -> None:
        with pytest.raises(TableError, match="the data frame: row 1, column val_acc, trial relu-0"):
            analyzed(make_rows(val_acc=2))


def test_a_diverged_trial_is_kept() -> None:
    rows = make_rows()
    rows[3].update(train_loss=math.inf, val_acc=None, status=None)
    results = analyzed(rows)
    row = pick(results["trials"], trial_id="relu-0")[0]
    assert (row["diverged"], row["best_val_acc"], row["test_acc"]) == (True, 0.1, 0.1)
    assert results["study"]["trials"]["diverged"] == 1
