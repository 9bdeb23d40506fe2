"""What stopping saved and cost, of studies told as events."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count

import pytest

from actsweep.events import (
    Evaluation,
    StopSpared,
    StudyRecord,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.records.derived.stopping import best_accuracies, stopping_costs
from actsweep.settings import StudyConfig
from actsweep.study import Study

Compose = Callable[..., StudyConfig]
EPOCHS = 4


class Tuned:
    """A study with two blocks of four points a cell, of which one in four is spared."""

    def __init__(self, compose: Compose, *words: str) -> None:
        asked = ("experiment=smoke", f"trainer.epochs={EPOCHS}", "study.tune.blocks=2", "study.tune.points=4")
        self.study = Study(compose(*asked, *(words or ("scheduler=asha",))))
        self.record = StudyRecord()
        self.record(StudyStarted("s", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 0.0))
        self._lr = (0.001 * (1 + number) for number in count())

    def trial(self, best: float, end: str = "completed", *, cell: int = 0, block: int = 0, phase: str = "tune") -> None:
        """A trial that has its best accuracy at epoch 1; a stopped one ends there.

        `end` is a status, or of spared trials `spared` where it would have been stopped, else `safe`.
        """
        values = {"optimizer.lr": next(self._lr)}
        trial = self.study.tune_trial(self.study.cells[cell], block, values)
        if phase != "tune":
            trial = self.study.seeded_trials("replicate", self.study.cells[cell], block, values)[0]
        name = trial.trial_id
        self.record(
            TrialStarted(name, 1, trial.phase, block, 1, trial.cell.values, values, 0.0, end in ("spared", "safe"))
        )
        for epoch in range(2 if end in ("stopped", "diverged") else EPOCHS + 1):
            accuracy = best if epoch == 1 else 0.1
            self.record(Evaluation(name, 1, {"epoch": epoch, "val_acc": accuracy, "train_loss": 1.0}, 0.0))
        if end == "spared":
            self.record(StopSpared(name, 1, 1, 0.0))
        if end == "stopped":
            self.record(TrialStopped(name, 1, 1, 0.0))
        elif end == "failed":
            self.record(TrialFailed(name, 1, "error", "no", False, 0.0))
        elif end != "running":
            self.record(TrialFinished(name, 1, "completed" if end in ("spared", "safe") else end, {}, 0.0))


@pytest.fixture
def tuned(compose: Compose) -> Tuned:
    return Tuned(compose)


def test_nothing_is_said_where_nothing_is_stopped(compose: Compose) -> None:
    tuned = Tuned(compose, "scheduler=none")
    tuned.trial(0.5)
    assert stopping_costs(tuned.study, tuned.record) == []


def test_epochs_saved_are_those_that_stopped_trials_did_not_run(tuned: Tuned) -> None:
    for end in ("completed", "stopped", "stopped", "diverged"):
        tuned.trial(0.5, end)
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert (cell["activation"], cell["depth"]) == ("relu", 3)
    assert (cell["tune"], cell["stopped"]) == (4, 2)
    assert (cell["epochs_trained"], cell["epochs_saved"]) == (4 + 1 + 1 + 1, 3 + 3)
    assert cell["saved_share"] == pytest.approx(6 / 13)


def test_a_spared_trial_that_stopping_would_have_lost_is_the_best(tuned: Tuned) -> None:
    for best, end in ((0.5, "completed"), (0.3, "stopped"), (0.2, "stopped"), (0.65, "spared")):
        tuned.trial(best, end)
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert (cell["spared"], cell["spared_stopped"]) == (1, 1)
    assert cell["gain"] == pytest.approx(0.15)
    assert cell["blocks"] == [{"block": 0, "gain": pytest.approx(0.15)}]
    assert cell["sentence"] == (
        "relu/3: 2 of 4 tune trials stopped early, which saved 38 % of the epochs; of 1 spared trial 1 would have "
        "been stopped; the cell's best is among these, by 15.0 percentage points: stopping has a cost."
    )


def test_it_may_be_the_best_of_its_block_only(tuned: Tuned) -> None:
    for block, values in enumerate(((0.7, 0.3), (0.5, 0.55))):
        tuned.trial(values[0], block=block)
        tuned.trial(values[1], "spared", block=block)
        tuned.trial(0.2, "stopped", block=block)
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert cell["gain"] == pytest.approx(-0.15)
    assert [(found["block"], round(found["gain"], 9)) for found in cell["blocks"]] == [(0, -0.4), (1, 0.05)]
    assert "best is not among these, but that of 1 block is, by up to 5.0 percentage points" in cell["sentence"]


def test_an_equal_best_is_not_lost(tuned: Tuned) -> None:
    tuned.trial(0.5)
    tuned.trial(0.5, "spared")
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert cell["gain"] == 0
    assert cell["sentence"].endswith("neither the cell's best nor a block's is among these.")


def test_a_spared_trial_that_diverged_counts_as_chance(tuned: Tuned) -> None:
    tuned.trial(0.5)
    tuned.trial(0.9, "spared")
    spared = list(tuned.record.trials.values())[1]
    spared.status = "diverged"
    assert stopping_costs(tuned.study, tuned.record)[0]["gain"] == pytest.approx(0.1 - 0.5)
    assert best_accuracies([spared], EPOCHS, 10) == [pytest.approx(0.1)]


def test_each_cell_is_told_for_itself_and_only_tune_trials_with_a_result_count(tuned: Tuned) -> None:
    tuned.trial(0.5)
    tuned.trial(0.9, phase="replicate")
    tuned.trial(0.9, "failed")
    tuned.trial(0.9, "running")
    tuned.trial(0.4, "spared", cell=1)
    relu, sigmoid = stopping_costs(tuned.study, tuned.record)
    assert (relu["tune"], relu["epochs_trained"], relu["gain"]) == (1, EPOCHS, None)
    assert (sigmoid["tune"], sigmoid["spared_stopped"], sigmoid["gain"]) == (1, 1, None)


def test_a_cell_without_a_result_has_zeros_and_nulls(tuned: Tuned) -> None:
    relu = stopping_costs(tuned.study, tuned.record)[0]
    assert (relu["tune"], relu["stopped"], relu["saved_share"], relu["gain"]) == (0, 0, None, None)


def test_where_nothing_is_spared_the_cost_is_not_known(compose: Compose) -> None:
    tuned = Tuned(compose, "scheduler=asha", "study.tune.spare=0")
    for end in ("completed", "stopped"):
        tuned.trial(0.5, end)
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert cell["spared"] == 0
    assert cell["sentence"].endswith("none was spared, so what stopping cost is not known.")


def test_it_loads_without_ray_torch_or_optuna() -> None:
    code = "import sys, actsweep.records.derived.stopping as _; print({'ray', 'torch', 'optuna'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_spared_trials_are_counted_whichever_points_they_are(tuned: Tuned) -> None:
    for end in ("safe", "completed", "spared", "safe"):
        tuned.trial(0.5, end)
    cell = stopping_costs(tuned.study, tuned.record)[0]
    assert (cell["spared"], cell["spared_stopped"]) == (3, 1)
