"""The whole analysis on studies whose truth is known."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actsweep.analysis import analyze_curves, interval_level
from actsweep.compare.comparisons import ENDPOINTS
from actsweep.compare.judging.claims import CLAIMS
from actsweep.curves import Curve
from simulate import (
    RELU,
    SIGMOID,
    STUDY,
    Family,
    Truth,
    analyze,
    crossing_curve,
    draw,
    options,
    pick,
    study,
    trial,
    tune,
)

Results = dict[str, Any]


def verdicts(results: Results, **where: Any) -> dict[str, str]:
    rows = [row for row in results["verdicts"] if all(row[name] == value for name, value in where.items())]
    return {row["claim"]: row["verdict"] for row in rows}


def approx(value: Any) -> Any:
    """The same results up to rounding."""
    if isinstance(value, dict):
        return {name: approx(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [approx(inner) for inner in value]
    return pytest.approx(value, rel=1e-7, abs=1e-12) if isinstance(value, float) else value


class TestTruth:
    def test_what_is_true_by_a_clear_margin_is_found(self) -> None:
        found = verdicts(analyze(study()))
        assert found == found | {
            "C1a": "supported",
            "C1b": "refuted",
            "C2a": "supported",
            "C2b": "not assessable",
            "C3a": "supported",
            "C3b": "supported",
            "C4a": "refuted",
            "C4b": "refuted",
            "C4c": "not assessable",
            "C5": "supported",
        }

    def test_equal_arms_support_nothing(self) -> None:
        equal = {"relu": RELU, "sigmoid": RELU}
        supported = [
            claim
            for seed in range(200)
            for claim, verdict in verdicts(analyze(study(seed, arms=equal), level=0.95)).items()
            if verdict == "supported"
        ]
        assert len(supported) <= 0.05 * 200

    def test_an_effect_exactly_at_a_threshold_is_rarely_called_either_way(self) -> None:
        """At 95 % each side is wrong in 2.5 % of the studies."""
        at_threshold = {
            "relu": Truth(test_acc=0.81, step_ms=10.0),
            "sigmoid": Truth(test_acc=0.80, step_ms=20.0, slope=-0.17),
        }
        called = {"C1b": [0, 0], "C2a": [0, 0], "C5": [0, 0]}
        for seed in range(200):
            found = verdicts(analyze(study(seed, arms=at_threshold), level=0.95))
            for claim, counts in called.items():
                counts[0] += found[claim] == "supported"
                counts[1] += found[claim] == "refuted"
        assert max(max(counts) for counts in called.values()) <= 0.06 * 200

    def test_runs_of_one_block_are_one_unit(self) -> None:
        results = analyze(study(blocks=10, n=3, block_sd=0.02))
        row = pick(results["comparisons"], endpoint="d_test_acc")
        assert (row["n_a"], row["units_a"], results["study"]["unit"]) == (30, 10, "block")
        assert row["low"] <= 0.1 <= row["high"]

    def test_a_horizon_too_short_for_twice_is_said_to_be(self) -> None:
        results = analyze(study(horizon=10, arms={"relu": Truth(epochs=6), "sigmoid": Truth(epochs=30)}))
        row = pick(results["verdicts"], claim="C1a")
        assert row["verdict"] == "undecided"
        assert row["largest"] == pick(results["comparisons"], endpoint="r_seconds_hi")["largest"] < 2
        assert f"{row['largest']:.3g}" in row["why"]


class TestInvariance:
    """What must not change the results."""

    def test_the_order_of_the_trials(self) -> None:
        trials = [*study(), *tune(study(1))]
        shuffled = [trials[i] for i in np.random.default_rng(0).permutation(len(trials))]
        assert analyze(shuffled) == analyze(trials)

    def test_the_names_of_the_arms(self) -> None:
        names = {"relu": "zeta", "sigmoid": "alpha"}
        renamed = [replace(t, arm=names[t.arm]) for t in study()]
        original, other = analyze(study()), analyze(renamed, reference="zeta")
        for before, after in zip(original["comparisons"], other["comparisons"], strict=True):
            assert after == before | {"a": "zeta", "b": "alpha"}
        assert verdicts(other) == verdicts(original)

    def test_the_unit_of_seconds(self) -> None:
        def in_milliseconds(c: Curve) -> Curve:
            assert c.seconds is not None
            return replace(c, seconds=1000 * c.seconds)

        scaled = analyze([replace(t, curve=in_milliseconds(t.curve)) for t in study()])
        assert scaled["comparisons"] == approx(analyze(study())["comparisons"])
        assert verdicts(scaled) == verdicts(analyze(study()))

    def test_tune_trials_however_good_feed_no_estimate(self) -> None:
        lucky = tune(study(7, arms={"relu": RELU, "sigmoid": Truth(epochs=2, test_acc=0.99)}))
        plain, tuned = analyze(study()), analyze([*study(), *lucky])
        for part in ("targets", "comparisons", "verdicts"):
            assert tuned[part] == plain[part]
        for before, after in zip(plain["cells"], tuned["cells"], strict=True):
            assert after | {"best_of_k": []} == before
            assert len(after["best_of_k"]) == STUDY.n
        assert tuned["study"]["trials"] == plain["study"]["trials"] | {"tune": 2 * STUDY.n}

    def test_failed_trials_are_left_out_counted_and_listed(self) -> None:
        failed = trial("relu", 99, crossing_curve(1, 4, status="failed", test_acc=1.0))
        plain, with_failed = analyze(study()), analyze([*study(), failed])
        for part in ("targets", "cells", "comparisons", "verdicts"):
            assert with_failed[part] == plain[part]
        assert with_failed["study"]["trials"] == plain["study"]["trials"] | {"failed": 1}
        row = pick(with_failed["trials"], trial_id=failed.trial_id)
        assert (row["status"], row["best_val_acc"], row["reached_hi"], row["diverged"]) == ("failed", None, None, False)
        assert any(failed.trial_id in warning for warning in with_failed["study"]["warnings"])


class TestCross:
    """A third phase trains every arm at the other's learning rate."""

    @staticmethod
    def crossed(sigmoid_at_relus: Truth, **arms: Truth) -> Results:
        chosen = {"relu": 0.1, "sigmoid": 0.001}
        own = [replace(t, lr=chosen[t.arm]) for t in study()]
        at = study(5, arms={"relu": RELU, "sigmoid": sigmoid_at_relus} | arms)
        other = {"relu": 0.001, "sigmoid": 0.1}
        cross = [replace(t, phase="cross", lr=other[t.arm], trial_id=f"cross {t.trial_id}") for t in at]
        stray = [replace(t, phase="cross", lr=0.5, trial_id=f"stray {t.trial_id}") for t in at]
        return analyze([*own, *cross, *stray])

    def test_cross_trials_are_compared_at_either_chosen_rate_and_at_no_other(self) -> None:
        results = self.crossed(SIGMOID)
        for phase in ("replicate", "at_a_lr", "at_b_lr"):
            row = pick(results["comparisons"], endpoint="d_test_acc", phase=phase)
            assert (row["n_a"], row["n_b"]) == (12, 12)
            assert len(verdicts(results, phase=phase)) == len(CLAIMS)

    def test_a_rate_counts_in_the_block_that_chose_it(self) -> None:
        """A grid has the same rates in every block, so that one block's choice for B is another's for C."""
        at = {("relu", 0): 0.1, ("relu", 1): 0.1, ("sigmoid", 0): 0.2, ("sigmoid", 1): 0.3, ("tanh", 0): 0.3}
        at |= {("tanh", 1): 0.2}
        arms = {"relu": RELU, "sigmoid": SIGMOID, "tanh": SIGMOID}
        own = [replace(t, lr=at[t.arm, t.block]) for t in study(arms=arms, blocks=2, n=6)]
        crossed = [
            replace(t, phase="cross", lr=at[other, t.block], trial_id=f"{other} {t.trial_id}")
            for other in ("sigmoid", "tanh")
            for t in own
            if t.arm == "relu"
        ]
        row = pick(analyze([*own, *crossed])["comparisons"], endpoint="d_test_acc", phase="at_b_lr", b="sigmoid")
        assert (row["n_a"], row["units_a"]) == (12, 2)

    def test_a_verdict_that_flips_depends_on_the_learning_rate(self) -> None:
        results = self.crossed(replace(SIGMOID, test_acc=0.95))
        c5 = pick(results["verdicts"], claim="C5", phase="replicate")
        assert (c5["verdict"], pick(results["verdicts"], claim="C5", phase="at_a_lr")["verdict"]) == (
            "supported",
            "refuted",
        )
        assert c5["depends_on_lr"] is True
        assert "It depends on the learning rate: at that of relu the claim is refuted." in c5["why"]
        assert pick(results["verdicts"], claim="C2a", phase="replicate")["depends_on_lr"] is False

    def test_the_own_results_do_not_change(self) -> None:
        alone = analyze([replace(t, lr={"relu": 0.1, "sigmoid": 0.001}[t.arm]) for t in study()])
        results = self.crossed(SIGMOID)
        assert results["targets"] == alone["targets"]
        assert results["cells"] == alone["cells"]
        assert [row for row in results["comparisons"] if row["phase"] == "replicate"] == alone["comparisons"]
        assert {row["depends_on_lr"] for row in alone["verdicts"]} == {None}


class TestShape:
    def test_it_is_json_without_nan_and_complete(self) -> None:
        family = Family({"relu": RELU, "sigmoid": SIGMOID, "tanh": RELU}, depths=(3, 5))
        trials = [t for t in draw(family, np.random.default_rng(0)) if (t.arm, t.strata) != ("tanh", (5,))]
        results = analyze(trials)
        json.dumps(results, allow_nan=False)
        assert results["study"]["arms"] == ["relu", "sigmoid", "tanh"]
        assert results["study"]["strata"] == [3, 5]
        assert {(row["b"], row["depth"], row["endpoint"]) for row in results["comparisons"]} == {
            (b, depth, endpoint) for b in ("sigmoid", "tanh") for depth in (3, 5) for endpoint in ENDPOINTS
        }
        assert len(results["verdicts"]) == 4 * len(CLAIMS)
        assert set(verdicts(results, b="tanh", depth=5).values()) == {"not assessable"}
        assert {row["estimate"] for row in results["comparisons"] if (row["b"], row["depth"]) == ("tanh", 5)} == {None}

    def test_the_promised_keys_are_there(self) -> None:
        results = analyze([*study(), *tune(study())])
        promised = {
            "study": "name factor stratum reference arms strata horizon classes level trials warnings",
            "targets": "depth hi lo loss_match rule",
            "trials": """trial_id phase activation depth lr seed block status diverged stuck best_val_acc best_epoch
                final_val_acc confirmed_best nauc drop rebound epochs_to_target_hi reached_hi epochs_to_target_lo
                reached_lo steps_to_target_hi steps_to_target_lo seconds_to_target_hi seconds_to_target_lo gap_end
                gap_best gap_match test_acc""",
            "cells": """activation depth n units healthy failure_share failure_share_low failure_share_high lrs
                reached_hi reached_hi_low reached_hi_high reached_lo reached_lo_low reached_lo_high rmst_epochs_hi
                ert_epochs_hi rmst_steps_lo ert_steps_lo rmst_seconds_hi ert_seconds_lo test_acc_mean test_acc_sd
                test_acc_healthy_mean gap_end_mean gap_match_mean nauc_mean best_of_k""",
            "comparisons": """endpoint a b depth phase estimate low high level p_value p_permutation n_a n_b units_a
                units_b bound largest equivalent healthy""",
            "verdicts": "claim statement verdict a b depth phase estimate low high level threshold bound why",
        }
        assert results["schema"] == 1
        for part, names in promised.items():
            rows = results[part] if isinstance(results[part], list) else [results[part]]
            assert all(set(names.split()) <= set(row) for row in rows), part

    def test_trials_are_counted_by_phase_failed_ones_apart(self) -> None:
        failed = crossing_curve(1, 4, status="failed")
        more = [trial("relu", 90 + i, failed, phase=phase) for i, phase in enumerate(("tune", "tune", "replicate"))]
        crossed = [trial("relu", 95, crossing_curve(1, 4), phase="cross"), trial("relu", 96, failed, phase="cross")]
        study_row = analyze([*study(), *tune(study(n=3)), *more, *crossed])["study"]
        assert study_row["trials"] == {
            **{"tune": 6, "replicate": 24, "cross": 1, "failed": 1},
            **{"tune_failed": 2, "diverged": 0, "stuck": 0},
        }
        assert (study_row["unit"], study_row["given"]) == ("seed", "given the chosen learning rate")
        assert analyze(study(blocks=2, n=3))["study"]["given"] is None

    def test_both_arms_are_shown_at_the_rate_that_was_best_for_either_in_every_stratum(self) -> None:
        arms = {"relu": RELU, "sigmoid": SIGMOID, "tanh": RELU}
        trials = draw(Family(arms, n=3, depths=(3, 5)), np.random.default_rng(0))
        views = analyze([*trials, *tune(trials)])["learning_rate_view"]
        assert [(view["a"], view["b"], view["depth"]) for view in views] == [
            ("relu", b, depth) for depth in (3, 5) for b in ("sigmoid", "tanh")
        ]
        assert all(view["a_at_lr_a"] >= view["a_at_lr_b"] for view in views)

    def test_another_factor_and_stratum_give_their_names_to_the_keys(self) -> None:
        trials = [replace(t, strata=("digits", t.strata[0])) for t in study()]
        results = analyze(trials, factor="optimizer", stratum=("data", "width"))
        assert results["cells"][0]["optimizer"] == "relu"
        for part in ("targets", "trials", "cells", "comparisons", "verdicts"):
            assert (results[part][0]["data"], results[part][0]["width"]) == ("digits", 3)
            assert "depth" not in results[part][0]
        assert (results["study"]["stratum"], results["study"]["strata"]) == ("data,width", [["digits", 3]])

    @pytest.mark.parametrize("strata", [(), (None,)])
    def test_without_a_stratum_depth_is_null(self, strata: tuple[None, ...]) -> None:
        results = analyze([replace(t, strata=strata) for t in study()], stratum=("depth",) if strata else ())
        assert results["study"]["strata"] == [None]
        assert {row["depth"] for part in ("targets", "trials", "cells", "verdicts") for row in results[part]} == {None}

    def test_tune_trials_alone_are_no_evidence(self) -> None:
        results = analyze(tune(study()))
        assert set(verdicts(results).values()) == {"not assessable"}
        assert results["targets"][0]["hi"] is None
        assert any("no replicates" in warning for warning in results["study"]["warnings"])

    def test_one_evaluation_a_trial_and_one_trial_an_arm_are_analysed(self) -> None:
        results = analyze([trial(arm, 0, Curve(np.array([1.0]), np.array([0.5]))) for arm in ("relu", "tanh")])
        assert set(verdicts(results).values()) == {"not assessable"}
        json.dumps(results, allow_nan=False)


class TestLevel:
    @pytest.mark.parametrize(
        ("design", "shares"), [((1, 1, 1), 1), ((3, 2, 1), 6), ((1, 1, 2), 2), ((1, 1, 3), 4), ((2, 3, 2), 12)]
    )
    def test_the_error_is_shared_by_claims_strata_arms_and_looks(
        self, design: tuple[int, int, int], shares: int
    ) -> None:
        assert interval_level(*design) == pytest.approx(1 - 0.05 / len(CLAIMS) / shares)

    def test_it_is_that_of_every_interval_and_can_be_set(self) -> None:
        own = 1 - 0.05 / len(CLAIMS)
        for changes, level in (({}, own), ({"looks": 2}, (1 + own) / 2), ({"level": 0.9}, 0.9)):
            results = analyze(study(), **changes)
            assert results["study"]["level"] == pytest.approx(level)
            assert {row["level"] for part in ("comparisons", "verdicts") for row in results[part]} == {
                results["study"]["level"]
            }


def test_ten_thousand_trials_take_seconds() -> None:
    arms = dict.fromkeys(("relu", "gelu", "tanh", "silu", "elu"), RELU)
    trials = draw(Family(arms, n=667, horizon=29, depths=(2, 3, 4)), np.random.default_rng(0))
    started = time.process_time()
    analyze_curves(trials, options())
    assert len(trials) > 10_000
    assert time.process_time() - started < 10
