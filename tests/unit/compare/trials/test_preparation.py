"""From trials to measures: arms, horizon, what gaps are taken to, and trials that cannot be scaled."""

from dataclasses import replace

import numpy as np
import pytest

from actsweep.compare import TrialCurve
from actsweep.compare.trials.preparation import Prepared, prepare
from actsweep.compare.trials.table import in_order
from actsweep.curves import Curve
from actsweep.errors import RequestError, TableError
from simulate import CHANCE, crossing_curve, curve, options, trial


def prepared(*trials: TrialCurve, **changes: object) -> Prepared:
    return prepare(trials, options(**changes))


def pair(horizon: int = 6) -> list[TrialCurve]:
    return [trial(arm, seed, crossing_curve(2, horizon)) for arm in ("relu", "tanh") for seed in (0, 1)]


def test_two_arms_and_the_reference_among_them_are_needed() -> None:
    with pytest.raises(RequestError, match=r"needs at least two values to compare, found relu$"):
        prepared(*pair()[:2])
    with pytest.raises(RequestError, match=r"needs at least two values to compare, found none$"):
        prepared()
    with pytest.raises(RequestError, match="--reference gelu is no activation here: choose relu, tanh"):
        prepared(*pair(), reference="gelu")


class TestHorizon:
    def test_it_is_where_the_replicates_end(self) -> None:
        stopped = trial("relu", 5, crossing_curve(2, 4), phase="tune")
        longer = trial("relu", 6, crossing_curve(2, 9), phase="tune")
        assert prepared(*pair(), stopped, longer).horizon == 6

    def test_a_trial_that_diverged_early_does_not_shorten_it(self) -> None:
        broken = trial("tanh", 2, curve([CHANCE, CHANCE], train_loss=[2.3, np.inf]))
        assert prepared(*pair(), broken).horizon == 6

    def test_replicates_of_different_horizons_need_the_option(self) -> None:
        odd = trial("tanh", 2, crossing_curve(2, 8))
        message = r"trial \S+ at 6, others at 8\): give --horizon, an epoch that all of them reach"
        with pytest.raises(TableError, match=message):
            prepared(*pair(), odd)
        assert prepared(*pair(), odd, horizon=6).horizon == 6

    @pytest.mark.parametrize("horizon", [2.5, 8])
    def test_the_option_must_be_an_epoch_that_all_replicates_reach(self, horizon: float) -> None:
        with pytest.raises(TableError, match="--horizon"):
            prepared(*pair(), horizon=horizon)

    def test_where_all_diverged_it_is_the_last_epoch_that_any_replicate_got_to(self) -> None:
        def broken(arm: str, *losses: float, phase: str = "replicate") -> TrialCurve:
            its_curve = curve([CHANCE] * len(losses), train_loss=list(losses))
            return trial(arm, len(losses), its_curve, phase=phase)

        bad = np.inf
        replicates = broken("relu", 2, 1, bad), broken("tanh", 2, bad), broken("relu", 2, 1, 1, 1, bad, phase="tune")
        assert prepared(*replicates).horizon == 2

    def test_cutting_comes_first(self) -> None:
        late = curve([CHANCE, 0.5, 0.9, CHANCE], train_loss=[2, 1, 1, np.inf], test_acc=0.1, status="diverged")
        trials = [trial(arm, 0, late) for arm in ("relu", "tanh")]
        measures = prepared(*trials, horizon=2).table.measures
        assert measures["diverged"].tolist() == [0, 0]
        assert np.isnan(measures["test_acc"]).all()

    def test_cutting_does_not_turn_a_failed_trial_into_a_result(self) -> None:
        failed = trial("relu", 9, crossing_curve(2, 6, status="failed"))
        table = prepared(*pair(), failed, horizon=4).table
        assert table.failed.sum() == 1
        assert len(table.cell("relu", 0, "replicate")) == 2

    def test_curves_that_stop_before_training_are_no_study(self) -> None:
        with pytest.raises(TableError, match="after epoch 0"):
            prepared(*(trial(arm, 0, curve([CHANCE])) for arm in ("relu", "tanh")))


class TestFailed:
    def test_a_failed_trial_may_have_no_evaluation_at_all(self) -> None:
        nothing = Curve(np.array([]), np.array([]), status="failed")
        assert prepared(*pair(), trial("relu", 9, nothing)).table.failed.sum() == 1

    def test_nothing_but_failures_is_no_study(self) -> None:
        failures = [replace(t, curve=replace(t.curve, status="failed")) for t in pair()]
        with pytest.raises(TableError, match="every trial failed"):
            prepared(*failures)


class TestGapBasis:
    def gaps(self, *tests: float | None, **extra: float) -> tuple[str, list[float]]:
        trials = [
            trial(arm, i, curve([CHANCE, 0.8], train_acc=[CHANCE, 0.9], test_acc=test))
            for i, (arm, test) in enumerate(zip(("relu", "tanh", "tanh"), tests, strict=True))
        ]
        found = prepared(*trials)
        return found.gap_end_against, found.table.measures["gap_end"].round(3).tolist()

    def test_it_is_test_where_all_have_it_and_validation_for_all_where_one_has_not(self) -> None:
        assert self.gaps(0.7, 0.6, 0.5) == ("test", [0.2, 0.3, 0.4])
        assert self.gaps(0.7, 0.6, None) == ("validation", [0.1, 0.1, 0.1])

    def test_a_diverged_replicate_has_chance_and_changes_nothing(self) -> None:
        trials = [
            trial(arm, 0, curve([CHANCE, 0.8], train_acc=[CHANCE, 0.9], test_acc=0.7)) for arm in ("relu", "tanh")
        ]
        broken = trial("tanh", 1, curve([CHANCE, 0.8], train_loss=[2.3, np.inf]))
        assert prepared(*trials, broken).gap_end_against == "test"


def test_chance_for_the_diverged_is_no_test_accuracy_of_a_cell_that_read_none() -> None:
    broken = trial("tanh", 2, curve([CHANCE, 0.8], train_loss=[2.3, np.inf]))
    table = prepared(*pair(), broken).table
    assert np.isnan(table.cell("tanh", 0, "replicate")["test_acc"]).all()
    assert np.nanmax(table.measures["test_acc"]) == CHANCE


def test_a_trial_that_diverged_before_any_step_counts_with_its_cells_median_times() -> None:
    at_once = trial("tanh", 2, curve([CHANCE], status="diverged", seconds=[0.0], step=[0.0]))
    cell = prepared(*pair(), at_once).table.cell("tanh", 0, "replicate")
    assert cell["epochs_at_horizon"].tolist() == [6, 6, 6]
    assert cell["seconds_at_horizon"].tolist() == [6, 6, 6]
    assert cell["steps_at_horizon"].tolist() == [600, 600, 600]


def test_without_epoch_0_there_is_no_area_under_the_curve() -> None:
    def late(arm: str, seed: int, **fields: object) -> TrialCurve:
        whole = crossing_curve(2, 6)
        return trial(arm, seed, Curve(whole.epoch[1:], whole.val_acc[1:], **fields))

    found = prepared(late("relu", 0), late("tanh", 0), late("tanh", 1, status="diverged"))
    assert not found.has_start
    assert np.isnan(found.table.measures["nauc"]).all()


def test_a_diverged_trial_without_epoch_0_takes_it_from_no_other() -> None:
    broken = trial("tanh", 2, Curve(np.array([1.0]), np.array([CHANCE]), status="diverged"))
    found = prepared(*pair(), broken)
    assert found.has_start
    assert np.isfinite(found.table.measures["nauc"]).all()


def test_units_are_blocks_only_where_there_are_several() -> None:
    blocks = [replace(t, block=t.seed) for t in pair()]
    assert prepared(*pair()).table.unit_name == "seed"
    assert prepared(*blocks).table.unit_name == "block"
    assert prepared(*(replace(t, block=0) for t in pair())).table.unit_name == "seed"
    tuned = replace(pair()[0], phase="tune", block=7)
    assert prepared(*pair(), tuned).table.unit_name == "seed"


def test_a_trial_without_a_block_is_a_unit_apart_from_every_block() -> None:
    blocks = [replace(t, block=block) for t, block in zip(pair(), (None, 1, 0, 1), strict=True)]
    table = prepared(*blocks).table
    assert [len(table.cell(arm, 0, "replicate").units("best_val_acc")) for arm in ("relu", "tanh")] == [2, 2]


def test_trials_come_by_phase_arm_stratum_block_rate_and_seed_none_before_any() -> None:
    first = trial("relu", 1, crossing_curve(2, 6), lr=None, block=None, strata=(None,))
    later = [
        {"seed": 2},
        {"lr": 0.001},
        {"lr": 0.1},
        {"block": 0, "lr": None},
        {"strata": (2,), "block": None},
        {"strata": (10,)},
        {"strata": ("a",)},
        {"arm": "tanh", "strata": (None,)},
        {"phase": "tune", "arm": "relu"},
    ]
    expected = [first]
    for change in later:
        expected.append(replace(expected[-1], **change))
    assert in_order([expected[i] for i in np.random.default_rng(0).permutation(len(expected))]) == expected


def test_where_some_replicates_of_a_cell_read_a_test_accuracy_those_are_kept() -> None:
    some = [trial("tanh", seed, crossing_curve(2, 6, test_acc=test)) for seed, test in ((5, 0.7), (6, None))]
    cell = prepared(*pair()[:2], *some).table.cell("tanh", 0, "replicate")
    assert cell.known("test_acc").tolist() == [0.7]
