"""Each claim's verdict: supported, refuted, undecided or not assessable."""

from typing import Any

import numpy as np
import pytest

from actsweep.compare import Cell, compare_pair, judge_pair
from actsweep.compare.judging.claims import Pair
from arms import HORIZON, N, arm, around, judge
from simulate import cell


class TestThresholds:
    @pytest.mark.parametrize(
        ("claim", "a", "b", "verdict"),
        [
            ("C1a", {"hi": 4.0}, {"hi": 9.0}, "supported"),
            ("C1a", {"hi": 4.0}, {"hi": 7.0}, "refuted"),
            ("C1a", {"hi": 4.0}, {"hi": 8.05}, "undecided"),
            ("C1b", {"step_ms": 10.0}, {"step_ms": 22.0}, "supported"),
            ("C1b", {"step_ms": 10.0}, {"step_ms": 10.4}, "refuted"),
            ("C1b", {"step_ms": 10.0}, {"step_ms": 20.1}, "undecided"),
            ("C2a", {"grad_slope": -0.05}, {"grad_slope": -0.62}, "supported"),
            ("C2a", {"grad_slope": -0.05}, {"grad_slope": -0.1}, "refuted"),
            ("C2a", {"grad_slope": -0.05}, {"grad_slope": -0.2005}, "undecided"),
            ("C2b", {}, {"saturated": 0.4}, "supported"),
            ("C2b", {}, {"saturated": 0.1}, "refuted"),
            ("C2b", {}, {"saturated": 0.2501}, "undecided"),
            ("C3a", {"hi": 4.0, "lo": 3.0}, {"hi": 8.0, "lo": 6.0}, "supported"),
            ("C3a", {"hi": 4.0, "lo": 3.0}, {"hi": 8.0, "lo": 4.0}, "refuted"),
            ("C3a", {"hi": 4.0, "lo": 3.0}, {"hi": 8.0, "lo": 4.51}, "undecided"),
            ("C3b", {"hi": 4.0}, {"hi": 6.0}, "supported"),
            ("C3b", {"hi": 4.0}, {"hi": 3.0}, "refuted"),
            ("C3b", {"hi": 4.0}, {"hi": 4.01}, "undecided"),
            ("C3b", {"hi": 4.0}, {"hi": 4.4, "second": 1.5}, "undecided"),
            ("C4a", {"drop": 0.03, "gap_end": 0.1}, {}, "supported"),
            ("C4a", {"drop": 0.001, "gap_end": 0.1}, {}, "refuted"),
            ("C4a", {"drop": 0.03, "gap_end": 0.02}, {}, "refuted"),
            ("C4a", {"drop": 0.01001, "gap_end": 0.1}, {}, "undecided"),
            ("C4b", {"gap_end": 0.1}, {"gap_end": 0.05}, "supported"),
            ("C4b", {"gap_end": 0.06}, {"gap_end": 0.05}, "refuted"),
            ("C4b", {"gap_end": 0.0701}, {"gap_end": 0.05}, "undecided"),
            ("C5", {"test_acc": 0.9}, {"test_acc": 0.8}, "supported"),
            ("C5", {"test_acc": 0.8}, {"test_acc": 0.9}, "refuted"),
            ("C5", {"test_acc": 0.81}, {"test_acc": 0.8}, "undecided"),
        ],
    )
    def test_the_interval_must_clear_the_threshold(
        self, claim: str, a: dict[str, Any], b: dict[str, Any], verdict: str
    ) -> None:
        assert judge(claim, arm("relu", **a), arm("sigmoid", **b)).verdict == verdict

    def test_c4c_asks_for_equal_gaps_at_matched_loss_and_for_progress_to_explain_most(self) -> None:
        shared: dict[str, Any] = {"gap_end": 0.1, "gap_end_val": 0.1}
        b = arm("sigmoid", gap_end=0.05, gap_end_val=0.05, gap_match=0.04)
        assert judge("C4c", arm("relu", gap_match=0.042, **shared), b).verdict == "supported"
        assert judge("C4c", arm("relu", gap_match=0.08, **shared), b).verdict == "refuted"
        assert judge("C4c", arm("relu", gap_match=0.05, **shared), b).verdict == "undecided"
        wide = arm("relu", gap_match=0.042, gap_end=0.1, gap_end_val=0.051)
        explained = judge("C4c", wide, b)  # half of the validation gap's difference is there at the same loss
        assert explained.verdict == "undecided"
        assert "no more than half" in explained.why

    def test_c4c_is_asked_only_where_c4b_is_supported(self) -> None:
        a, b = arm("relu", gap_end=0.06, gap_match=0.04), arm("sigmoid", gap_end=0.05, gap_match=0.04)
        verdict = judge("C4c", a, b)
        assert (verdict.verdict, verdict.more_units) == ("not assessable", None)
        assert "C4b" in verdict.why


class TestNotAssessable:
    def test_below_ten_units_it_says_how_many_are_missing(self) -> None:
        a, b = arm("relu", test_acc=0.9), arm("sigmoid", test_acc=np.append(around(0.8, n=7), [np.nan] * 5))
        verdict = judge("C5", a, b)
        assert (verdict.verdict, verdict.more_units) == ("not assessable", 3)
        assert verdict.shown.interval.known
        assert judge("C1a", a, b).verdict == "refuted"

    def test_ten_units_are_enough(self) -> None:
        a, b = (
            arm(name, hi=around(4, n=10), lo=around(3, n=10), test_acc=around(x, n=10))
            for name, x in (("r", 0.9), ("s", 0.8))
        )
        assert judge("C5", a, b).verdict == "supported"

    def test_many_runs_in_few_blocks_are_few_units(self) -> None:
        def blocked(name: str, test_acc: float) -> Cell:
            return cell(name, np.arange(40) // 10, test_acc=around(test_acc, n=40))

        assert judge("C5", blocked("relu", 0.9), blocked("sigmoid", 0.8), unit="block").verdict == "not assessable"

    @pytest.mark.parametrize("claim", ["C1b", "C2a", "C2b", "C4a", "C4b", "C5"])
    def test_missing_columns(self, claim: str) -> None:
        verdict = judge(claim, arm("relu", drop=0.03), arm("sigmoid"))
        assert verdict.verdict == "not assessable"
        assert "recorded" in verdict.why

    def test_neither_arm_reached(self) -> None:
        never = [HORIZON] * N
        for claim in ("C1a", "C3a", "C3b"):
            verdict = judge(claim, arm("relu", hi=never), arm("sigmoid", hi=never))
            assert verdict.verdict == "not assessable"
            assert "neither relu nor sigmoid reached the high target in 20 epochs" in verdict.why.lower()

    def test_no_target(self) -> None:
        aimless = [arm("relu"), arm("tanh")]
        for replicates in aimless:
            for measure in ("reached", "epochs_to_target", "steps_to_target", "seconds_to_target"):
                replicates[f"{measure}_hi"].fill(np.nan)
        assert judge("C1a", *aimless).why == "No high target could be derived from these runs."

    def test_an_absent_arm(self) -> None:
        a, absent = arm("relu", drop=0.03, gap_end=0.1), arm("sigmoid", hi=[], lo=[])
        pair = Pair(a, absent, compare_pair(a, absent, 0.995), 0.995, HORIZON, "seed")
        assert {verdict.verdict for verdict in judge_pair(pair)} == {"not assessable"}


class TestCensoring:
    """A's censoring makes a ratio too large, B's too small."""

    def test_a_short_horizon_leaves_a_claim_of_twice_undecided_and_says_what_it_could_show(self) -> None:
        verdict = judge("C1a", arm("relu", hi=11.0), arm("sigmoid", hi=[HORIZON] * N))
        assert (verdict.verdict, verdict.shown.bound, verdict.more_units) == ("undecided", "at_least", None)
        assert verdict.shown.interval.high < 2
        assert verdict.shown.largest == pytest.approx(HORIZON / 11)
        assert "no ratio above 1.82" in verdict.why
        assert "longer ones are needed" in verdict.why

    def test_the_others_censoring_does_not_bar_support(self) -> None:
        verdict = judge("C1a", arm("relu", hi=4.0), arm("sigmoid", hi=[HORIZON] * N))
        assert (verdict.verdict, verdict.shown.bound) == ("supported", "at_least")
        assert "at least 5 times" in verdict.why

    def test_the_references_censoring_bars_support(self) -> None:
        half_censored = [1.0, HORIZON] * 20
        lo = around(3, n=40)
        verdict = judge("C3b", arm("relu", hi=half_censored, lo=lo), arm("sigmoid", hi=around(19.9, 0.001, 40), lo=lo))
        assert verdict.shown.interval.low > 1
        assert (verdict.verdict, verdict.shown.bound) == ("undecided", "at_most")
        assert "50 % of the runs of relu" in verdict.why

    def test_the_references_censoring_does_not_bar_refutation(self) -> None:
        mostly_censored = [HORIZON] * 9 + [18.0] * 3
        verdict = judge("C1a", arm("relu", hi=mostly_censored), arm("sigmoid", hi=19.0))
        assert (verdict.verdict, verdict.shown.bound) == ("refuted", "at_most")

    def test_where_both_are_censored_neither_verdict_is_to_be_had(self) -> None:
        lo = around(3, n=40)

        def half(name: str, reached_at: float) -> Cell:
            return arm(name, hi=[reached_at, HORIZON] * 20, lo=lo)

        slower, faster = (
            judge("C3b", half("relu", 1.0), half("tanh", 19.0)),
            judge("C3b", half("relu", 19.0), half("tanh", 1.0)),
        )
        assert slower.shown.interval.low > 1 > faster.shown.interval.high
        assert {(v.verdict, v.shown.bound) for v in (slower, faster)} == {("undecided", "between")}

    def test_nine_tenths_reached_lift_the_bar(self) -> None:
        times = [10.0] * 18 + [HORIZON] * 2
        lo = around(3, n=20)
        a, b = arm("relu", hi=around(10, n=20), lo=lo), arm("sigmoid", hi=times, lo=lo)
        assert judge("C1a", a, b).verdict == "refuted"
        too_few = arm("sigmoid", hi=[10.0] * 17 + [HORIZON] * 3, lo=lo)
        assert judge("C1a", a, too_few).verdict == "undecided"

    def test_nine_tenths_of_the_reference_lift_the_bar_too(self) -> None:
        lo = around(3, n=40)
        for reached, verdict in ((36, "supported"), (35, "undecided")):
            times = [1.0] * reached + [HORIZON] * (40 - reached)
            found = judge("C1a", arm("relu", hi=times, lo=lo), arm("sigmoid", hi=around(19.5, 0.001, 40), lo=lo))
            assert found.shown.interval.low > 2
            assert (found.verdict, found.shown.bound) == (verdict, "at_most")


class TestShownRow:
    def test_of_two_conditions_the_row_shows_the_one_nearest_its_threshold(self) -> None:
        near_lo = judge("C3a", arm("relu", hi=4.0, lo=3.0), arm("sigmoid", hi=12.0, lo=5.0))
        assert near_lo.shown.interval.estimate == pytest.approx(5 / 3)
        near_hi = judge("C3a", arm("relu", hi=4.0, lo=3.0), arm("sigmoid", hi=6.5, lo=9.0))
        assert near_hi.shown.interval.estimate == pytest.approx(6.5 / 4)
        gap = judge("C4a", arm("relu", drop=0.5, gap_end=0.06), arm("sigmoid"))
        assert (gap.shown.threshold, gap.shown.interval.estimate) == (0.05, pytest.approx(0.06))

    def test_healthy_trials_decide_c5_where_the_other_fails_at_least_as_often(self) -> None:
        failing = np.append(around(0.8, n=10), [0.1, 0.1])
        fails = [0] * 10 + [1, 1]
        b = arm("sigmoid", test_acc=failing, diverged=fails)
        verdict = judge("C5", arm("relu", test_acc=0.9), b)
        assert verdict.verdict == "supported"
        assert verdict.shown.interval.estimate == pytest.approx(0.1)
        assert "runs that trained properly" in verdict.why
        a = arm("relu", test_acc=np.append(around(0.9, n=9), [0.1] * 3), diverged=[0] * 9 + [1] * 3)
        assert judge("C5", a, b).verdict == "undecided"

    def test_healthy_trials_decide_c5_also_where_both_fail_equally_often(self) -> None:
        fails = [0] * 20 + [1, 1]
        times = {"hi": around(4, n=22), "lo": around(3, n=22)}
        a, b = (
            arm(name, test_acc=np.append(around(mean, 0.005, 20), [0.1, 0.1]), diverged=fails, **times)
            for name, mean in (("relu", 0.9), ("sigmoid", 0.85))
        )
        verdict = judge("C5", a, b)
        assert verdict.verdict == "supported"
        assert verdict.shown.interval.estimate == pytest.approx(0.05)

    def test_c5_asks_for_a_clear_probability_too(self) -> None:
        rng = np.random.default_rng(0)
        a, b = rng.normal(0.80, 0.1, 2000), rng.normal(0.77, 0.1, 2000)
        times = {"hi": around(4, n=2000), "lo": around(3, n=2000)}
        verdict = judge("C5", arm("relu", test_acc=a, **times), arm("sigmoid", test_acc=b, **times))
        assert verdict.shown.interval.low > 0.01
        assert (verdict.verdict, verdict.more_units) == ("undecided", None)
        assert "only 58" in verdict.why

    def test_without_steps_epochs_stand_for_them_and_the_reason_says_so(self) -> None:
        a, b = arm("relu", steps=False), arm("sigmoid", hi=9.0, lo=7.0, steps=False)
        for claim in ("C3a", "C3b"):
            verdict = judge(claim, a, b)
            assert verdict.verdict == "supported"
            assert "epochs stand in for steps" in verdict.why


class TestWords:
    def test_a_supported_claim_reads_as_a_sentence(self) -> None:
        why = judge("C1a", arm("relu", hi=4.0), arm("sigmoid", hi=9.2)).why
        assert why == (
            "Sigmoid needed 2.3 times the training seconds of relu to the same accuracy "
            "(99.5 % interval 2.26 to 2.34), more than the 2 asked."
        )

    def test_a_refuted_claim_names_the_condition_that_fails(self) -> None:
        verdict = judge("C3a", arm("relu", hi=4.0, lo=3.0), arm("sigmoid", hi=6.05, lo=3.0))
        assert verdict.shown.interval.estimate == pytest.approx(6.05 / 4)
        assert verdict.verdict == "refuted"
        assert "1.0 times the steps of relu to the low target" in verdict.why

    def test_statements_name_the_arms(self) -> None:
        assert (
            judge("C5", arm("relu"), arm("sigmoid")).statement
            == "the test accuracy of relu is better than that of sigmoid"
        )

    @pytest.mark.parametrize(("unit", "word"), [("seed", "replicates"), ("block", "tuning blocks")])
    def test_an_undecided_claim_says_how_much_more_would_decide_it(self, unit: str, word: str) -> None:
        verdict = judge("C4b", arm("relu", gap_end=0.0701), arm("sigmoid", gap_end=0.05), unit=unit)
        assert verdict.more_units is not None
        assert f"about {verdict.more_units} more {word} per arm would likely decide it" in verdict.why


class TestAdvice:
    """Of two conditions that are open, one that leans against the claim decides it alone; else both have to hold."""

    @staticmethod
    def more(drop: float, gap_end: float) -> int:
        a = arm("relu", drop=around(drop, 0.5), gap_end=around(gap_end, 0.5))
        more = judge("C4a", a, arm("sigmoid")).more_units
        assert more is not None
        return more

    def test_where_both_lean_against_it_is_what_the_cheaper_one_takes(self) -> None:
        one, other = self.more(0.009, 0.5), self.more(0.3, 0.048)
        assert one != other
        assert self.more(0.009, 0.048) == min(one, other)

    def test_where_both_lean_for_it_is_what_the_dearer_one_takes(self) -> None:
        one, other = self.more(0.0112, 0.5), self.more(0.3, 0.052)
        assert one != other
        assert self.more(0.0112, 0.052) == max(one, other)

    def test_where_one_leans_against_the_other_does_not_matter(self) -> None:
        assert self.more(0.009, 0.052) == self.more(0.009, 0.5)

    def test_an_estimate_on_the_threshold_is_decided_by_no_number_of_units(self) -> None:
        verdict = judge("C1b", arm("relu", step_ms=around(10.0)), arm("sigmoid", step_ms=around(20.0)))
        assert (verdict.verdict, verdict.more_units) == ("undecided", None)


def test_of_two_conditions_that_fail_the_one_nearest_its_threshold_is_told() -> None:
    slower = judge("C3a", arm("relu", hi=4.0, lo=3.0), arm("sigmoid", hi=1.0, lo=4.2))
    assert slower.verdict == "refuted"
    assert "1.4 times the steps of relu to the low target" in slower.why
    other = judge("C3a", arm("relu", hi=4.0, lo=3.0), arm("sigmoid", hi=5.6, lo=1.0))
    assert "1.4 times the steps of relu to the high target" in other.why


def test_the_advised_number_of_units_decides_about_as_often_as_it_promises() -> None:
    truth, spread, n = 0.028, 0.01, 12
    exact = np.sqrt((n - 1) / n) * spread * np.array([-1.0, 1.0] * (n // 2))
    undecided = judge("C4b", cell("relu", gap_end=truth + exact), cell("sigmoid", gap_end=exact))
    assert undecided.verdict == "undecided"
    assert undecided.more_units is not None
    total = n + undecided.more_units
    rng = np.random.default_rng(8)
    draws = (
        judge(
            "C4b",
            cell("relu", gap_end=rng.normal(truth, spread, total)),
            cell("sigmoid", gap_end=rng.normal(0, spread, total)),
        )
        for _ in range(200)
    )
    assert 0.65 <= np.mean([verdict.verdict == "supported" for verdict in draws]) <= 0.95
