from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from actsweep.model import Classifier
from actsweep.run.plan import make_plan, plan_tables
from actsweep.run.plan.estimate import Estimate, epochs_under_asha
from actsweep.run.plan.probe import EPOCHS
from actsweep.settings import StudyConfig

Compose = Callable[..., StudyConfig]


class TestEstimate:
    def test_samples_give_a_range_and_their_median(self) -> None:
        assert Estimate.of([3.0, 1.0, 2.0]) == Estimate(1.0, 2.0, 3.0)

    def test_sums_and_products_keep_the_range(self) -> None:
        assert Estimate(1, 2, 3) + Estimate(1, 1, 2) == Estimate(2, 3, 5)
        assert Estimate(1, 2, 3) * Estimate(0.5, 1, 2) == Estimate(0.5, 2, 6)
        assert Estimate(1, 2, 3) * 2 == Estimate(2, 4, 6)


class TestAsha:
    def test_nothing_is_saved_where_all_are_spared(self) -> None:
        assert epochs_under_asha(0, 20, grace=1, reduction=3, spared=8) == Estimate.exactly(20)

    def test_nothing_is_saved_where_no_rung_lies_before_the_end(self) -> None:
        assert epochs_under_asha(8, 20, grace=20, reduction=3, spared=0) == Estimate.exactly(20)

    def test_strict_halving_by_hand(self) -> None:
        """Nine trials to epoch 1, three to 3, one to 9."""
        assert epochs_under_asha(9, 9, grace=1, reduction=3, spared=0).low == pytest.approx((9 + 3 * 2 + 6) / 9)

    def test_the_expectation_is_that_of_a_simulation(self) -> None:
        """Asynchronous: number i passes if it is at or above the percentile of those that came before."""
        import numpy as np

        generator, trials, epochs, reduction = np.random.default_rng(0), 9, 3, 3
        totals = []
        for _ in range(4000):
            values = generator.random(trials)
            passing = sum(
                i == 0 or values[i] >= np.percentile(values[:i], 100 * (1 - 1 / reduction)) for i in range(trials)
            )
            totals.append((trials + passing * (epochs - 1)) / trials)
        expected = epochs_under_asha(trials, epochs, grace=1, reduction=reduction, spared=0).middle
        assert expected == pytest.approx(np.mean(totals), rel=0.02)

    def test_the_range_is_in_order(self) -> None:
        found = epochs_under_asha(6, 20, grace=1, reduction=3, spared=2)
        assert found.low < found.middle < found.high == 20


class TestPlan:
    def test_of_the_smallest_study(self, compose: Compose, tmp_path: Path) -> None:
        figures = make_plan(compose("experiment=smoke", f"run.root={tmp_path}")).figures()
        assert figures["cells"] == ["relu/3", "sigmoid/3"]
        assert figures["trials"]["tune"] == figures["trials"]["replicate"] == 4
        assert figures["trials"]["total"] == 8
        assert (figures["images"], figures["steps_per_epoch"]) == (
            {"train": 256, "val": 128, "test": 128},
            {"low": 8, "high": 8},
        )
        assert figures["units"] == {"of": "seed", "per_cell": 2, "for_verdicts": 10}
        assert figures["stopping"]["rule"] == "none"
        hours = figures["core_hours"]
        assert 0 < hours["low"] <= hours["middle"] <= hours["high"] < 0.1
        disk = figures["disk_bytes"]
        assert disk["total"] == sum(size for part, size in disk.items() if part != "total")
        assert min(disk.values()) > 0
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (
                [],
                "none: each cell has 2 replicates, and claims are judged from 10 on, as with study.replicate.seeds=10",
            ),
            (
                ["study.replicate.seeds=10"],
                "each cell has 10 replicates, and a claim is judged where at least 10 of them have what it asks for; "
                "what a step costs, only with study.measure_cost=true",
            ),
            (["study.replicate.seeds=10", "study.measure_cost=true"], "at least 10 of them have what it asks for\n"),
            (
                ["study.tune.blocks=9", "study.replicate.seeds=20"],
                "none: each cell has 9 tuning blocks, and claims are judged from 10 on, as with study.tune.blocks=10",
            ),
        ],
    )
    def test_a_study_too_small_for_verdicts_is_told_before_it_runs(
        self, compose: Compose, asked: list[str], said: str
    ) -> None:
        plan = make_plan(compose("experiment=smoke", *asked))
        screen = Console(width=300)
        with screen.capture() as shown:
            screen.print(plan_tables(plan))
        assert said in "\n".join(line.rstrip() for line in shown.get().splitlines())

    def test_a_limit_of_time_is_for_trials_and_not_for_the_probe(self, compose: Compose) -> None:
        assert make_plan(compose("experiment=smoke", "trainer.trial_timeout=0.001")).time is not None

    def test_more_trials_take_more(self, compose: Compose) -> None:
        few = make_plan(compose("experiment=smoke")).figures()
        many = make_plan(compose("experiment=smoke", "study.replicate.seeds=200")).figures()
        assert many["core_hours"]["middle"] > 10 * few["core_hours"]["middle"]
        assert many["disk_bytes"]["checkpoints"] > 10 * few["disk_bytes"]["checkpoints"]

    def test_without_the_gpu_that_is_asked_for_the_time_is_not_known(
        self, compose: Compose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        steps: list[int] = []
        loss = Classifier.loss
        monkeypatch.setattr(Classifier, "loss", lambda *given: steps.append(1) or loss(*given))
        plan = make_plan(compose("experiment=smoke", "trainer=gpu", "trainer.epochs=2", "cluster.resources.gpu=0.5"))
        assert len(steps) == EPOCHS * len(plan.study.cells), "no more than the disk's needs take"
        assert plan.figures()["gpu_hours"] is None
        assert plan.figures()["no_time"] == "no CUDA device is visible here"
        assert plan.disk.checkpoints > 0
