"""A results dictionary as users have it, and the curves that belong to it."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from actsweep.analysis import TrialCurve
from actsweep.config import run_with_hydra
from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial
from rows_of_results import LEVEL, cell, comparison, run, trial, verdict

Row = dict[str, Any]
GOLDEN = Path(__file__).parents[2] / "golden" / "report"


@pytest.fixture
def results() -> Row:
    """Ten replicates of ReLU and of sigmoid, of which one got stuck."""
    sigmoid = cell(
        "sigmoid",
        healthy=9,
        failure_share=0.1,
        lrs=[0.0178],
        reached_hi=0.6,
        reached_hi_low=0.3127,
        reached_hi_high=0.8318,
        rmst_epochs_hi=17.25,
        test_acc_mean=0.8712,
        test_acc_sd=0.2741,
        gap_end_mean=0.0121,
    )
    return {
        "schema": 1,
        "study": {
            "name": "quickstart",
            "factor": "activation",
            "stratum": "depth",
            "reference": "relu",
            "arms": ["relu", "sigmoid"],
            "strata": [3],
            "horizon": 20,
            "classes": 10,
            "level": LEVEL,
            "trials": {"tune": 16, "replicate": 20, "failed": 0, "diverged": 0, "stuck": 1},
            "warnings": [
                "The best lr of sigmoid/3 lies at an edge of [0.0001, 0.1]: a wider range may serve it better."
            ],
        },
        "targets": [{"depth": 3, "hi": 0.9653, "lo": 0.8917, "loss_match": 0.12, "rule": "derived"}],
        "trials": [
            *(trial("relu", seed, 0.968 + seed / 1000) for seed in range(10)),
            *(trial("sigmoid", seed, 0.955 + seed / 1000) for seed in range(9)),
            trial("sigmoid", 9, 0.1, stuck=True),
        ],
        "cells": [sigmoid, cell("relu")],
        "comparisons": [
            comparison(
                "d_test_acc",
                0.1022,
                -0.1561,
                0.3605,
                healthy={"estimate": 0.0135, "low": 0.0051, "high": 0.0219},
            ),
            comparison("p_a_better", 0.93, 0.72, 0.99),
        ],
        "verdicts": [
            verdict(
                "C1a",
                "sigmoid takes over 2x the training seconds of relu to the same accuracy",
                "undecided",
                (2.18, 1.61, 2.95, 2.0),
                "Sigmoid needed at least 2.18 times the training seconds of relu to the same accuracy (99.5 % interval "
                "1.61 to 2.95), on both sides of the 2 asked; about 41 more replicates per arm would likely decide it.",
                bound="at_least",
            ),
            verdict(
                "C2a",
                "gradients of sigmoid vanish with depth more than those of relu",
                "supported",
                (-0.624, -0.66, -0.59, -0.15),
                "Before training, the gradient slope of sigmoid minus that of relu was -0.624 decades per layer.",
            ),
            verdict(
                "C2b",
                "units of sigmoid saturate during training",
                "refuted",
                (0.021, 0.01, 0.032, 0.25),
                "At the last evaluation 2.1 % of the units of sigmoid were saturated, less than the 25 % asked.",
            ),
            verdict(
                "C4c",
                "... because relu is further along than sigmoid",
                "not assessable",
                (None, None, None, 0.01),
                "Asked only where C4b is supported, which is undecided.",
            ),
        ],
    }


@pytest.fixture
def trials() -> list[TrialCurve]:
    """The results' replicates, of which only validation accuracies are known."""
    return [
        run(f"{arm}-{seed}", [0.1, top - 0.1 + seed / 1000, top + seed / 1000], [0, 10, 20], arm=arm)
        for arm, top in (("relu", 0.97), ("sigmoid", 0.95))
        for seed in range(10)
    ]


def rendered(renderable: RenderableType) -> str:
    """What 80 columns without colour show."""
    console = Console(file=StringIO(), width=80, force_terminal=False, legacy_windows=False)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


@pytest.fixture
def golden() -> Callable[[str, RenderableType], None]:
    """Holds what is shown against the file of that name."""

    def compare(name: str, renderable: RenderableType) -> None:
        assert rendered(renderable) == (GOLDEN / name).read_text()

    return compare


class Story:
    """Events of a study as its driver would send them; `now` is the time in seconds that each of them carries."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.now = 1_000.0
        self._attempts: dict[str, int] = {}

    def begin(self) -> StudyStarted:
        return StudyStarted("demo", {"label": "digits", "fingerprint": "0", "classes": 10}, {}, {}, self.now)

    def resume(self, finished: int) -> StudyResumed:
        return StudyResumed(finished, self.now)

    def end(self) -> StudyFinished:
        return StudyFinished(self.now)

    def start(self, trial: Trial) -> TrialStarted:
        self._attempts[trial.trial_id] = attempt = self._attempts.get(trial.trial_id, 0) + 1
        place = (trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance)
        return TrialStarted(trial.trial_id, attempt, *place, time=self.now)

    def report(self, trial: Trial, epoch: int, val_acc: float) -> Evaluation:
        row = {"epoch": epoch, "val_acc": val_acc}
        return Evaluation(trial.trial_id, self._attempts[trial.trial_id], row, self.now)

    def finish(self, trial: Trial, status: str = "completed") -> TrialFinished:
        return TrialFinished(trial.trial_id, self._attempts[trial.trial_id], status, {}, self.now)

    def fail(self, trial: Trial, message: str, *, retry: bool = False) -> TrialFailed:
        reason = "lost" if retry else "error"
        return TrialFailed(trial.trial_id, self._attempts[trial.trial_id], reason, message, retry, self.now)

    def run(self, trial: Trial, val_acc: float, seconds: float = 10.0) -> list[Event]:
        """A whole trial."""
        start = self.start(trial)
        self.now += seconds
        return [start, self.report(trial, 1, val_acc), self.finish(trial)]

    def choose(self, arm: int, block: int = 0, lr: float = 0.01) -> PointChosen:
        return PointChosen(self.study.cells[arm].values, block, {"optimizer.lr": lr}, self.now)

    def tune(self, arm: int, number: int, block: int = 0) -> Trial:
        return self.study.tune_trial(self.study.cells[arm], block, {"optimizer.lr": 0.01 * (number + 1)})

    def replicate(self, arm: int, number: int, block: int = 0) -> Trial:
        return self.study.seeded_trials("replicate", self.study.cells[arm], block, {"optimizer.lr": 0.01})[number]


@pytest.fixture(scope="session")
def study() -> Study:
    """Two cells, with four points and three seeds each."""
    found: list[StudyConfig] = []
    words = ["run.name=demo", "study.tune.points=4", "study.replicate.seeds=3"]
    run_with_hydra("train", words, lambda config, overrides: found.append(config) or 0)
    return Study(found[0])


@pytest.fixture
def story(study: Study) -> Story:
    return Story(study)
