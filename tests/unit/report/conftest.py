"""A results dictionary as users have it, and the curves that belong to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType

from actsweep.analysis import TrialCurve
from actsweep.study import Study
from rendering import rendered
from rows_of_results import LEVEL, cell, comparison, run, trial, verdict
from story import Story, demo

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
                estimate_kind="ratio",
            ),
            verdict(
                "C2a",
                "gradients of sigmoid vanish with depth more than those of relu",
                "supported",
                (-0.624, -0.66, -0.59, -0.15),
                "Before training, the gradient slope of sigmoid minus that of relu was -0.624 decades per layer.",
                claim_title="vanishing gradients",
                estimate_kind="slope",
                claim_asks="below",
            ),
            verdict(
                "C2b",
                "units of sigmoid saturate during training",
                "refuted",
                (0.021, 0.01, 0.032, 0.25),
                "At the last evaluation 2.1 % of the units of sigmoid were saturated, less than the 25 % asked.",
                claim_title="saturation",
                estimate_kind="share",
                estimate_of=["sigmoid"],
            ),
            verdict(
                "C4c",
                "... because relu is further along than sigmoid",
                "not assessable",
                (None, None, None, 0.01),
                "Asked only where C4b is supported, which is undecided.",
                claim_title="gap through progress",
                claim_asks="within",
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


@pytest.fixture
def golden() -> Callable[[str, RenderableType], None]:
    """Holds what is shown against the file of that name."""

    def compare(name: str, renderable: RenderableType) -> None:
        assert rendered(renderable) == (GOLDEN / name).read_text()

    return compare


@pytest.fixture(scope="session")
def study() -> Study:
    """Two cells, with four points and three seeds each."""
    return demo("study.tune.points=4", "study.replicate.seeds=3")


@pytest.fixture
def story(study: Study) -> Story:
    return Story(study)
