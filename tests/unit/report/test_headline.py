from typing import Any

from actsweep.report.headline import headline
from rows_of_results import cell, comparison, verdict

Row = dict[str, Any]


def compared(results: Row, *rows: Row, cells: list[Row] | None = None) -> str:
    results["comparisons"] = list(rows)
    results["cells"] = cells or [cell("relu", test_acc_mean=0.97), cell("sigmoid", test_acc_mean=0.95)]
    (text,) = headline(results)
    return text


def test_the_best_arm_its_lead_and_how_sure_it_is(results: Row) -> None:
    text = compared(results, comparison("d_test_acc", 0.02, 0.012, 0.028), comparison("p_a_better", 0.98, 0.8, 1.0))
    assert text == (
        "At depth 3, relu has the best test accuracy, 97 % on average, 2.0 percentage points above sigmoid "
        "(99.5 % interval 1.2 to 2.8): the difference is more than chance. "
        "A random run of relu beats a random run of sigmoid 98 times in 100 (interval 80 to 100)."
    )


def test_where_the_other_arm_is_best_the_comparison_is_turned_round(results: Row) -> None:
    cells = [cell("relu", test_acc_mean=0.95), cell("sigmoid", test_acc_mean=0.97)]
    rows = comparison("d_test_acc", -0.02, -0.028, -0.012), comparison("p_a_better", 0.02, 0.0, 0.2)
    text = compared(results, *rows, cells=cells)
    assert "sigmoid has the best test accuracy, 97 % on average, 2.0 percentage points above relu" in text
    assert "(99.5 % interval 1.2 to 2.8): the difference is more than chance." in text
    assert "A random run of sigmoid beats a random run of relu 98 times in 100 (interval 80 to 100)." in text


def test_an_interval_that_includes_no_difference_may_be_chance(results: Row) -> None:
    assert "on average this may be chance" in compared(results, comparison("d_test_acc", 0.02, -0.01, 0.05))


def test_runs_whose_order_is_clear_are_told_from_an_average_that_is_not(results: Row) -> None:
    unclear = comparison("d_test_acc", 0.08, -0.07, 0.24)
    text = compared(results, unclear, comparison("p_a_better", 0.99, 0.9, 1.0))
    assert "on average this may be chance" in text
    assert text.endswith(
        "99 times in 100 (interval 90 to 100): that relu is the better of two runs is more than chance, though how "
        "much better on average is open."
    )
    assert "more than chance" not in compared(results, unclear, comparison("p_a_better", 0.6, 0.4, 0.8))


def test_runs_that_are_all_above_all_others_have_a_p_value_in_the_place_of_an_interval(results: Row) -> None:
    unclear, apart = comparison("d_test_acc", 0.08, -0.07, 0.24), comparison("p_a_better", 1.0, None, None)
    text = compared(results, unclear, {**apart, "p_permutation": 0.0002})
    assert "beats a random run of sigmoid 100 times in 100 (permutation test, p < 0.001): that relu is" in text
    for p in (0.2, None):
        assert compared(results, unclear, {**apart, "p_permutation": p}).endswith("100 times in 100.")


def test_equivalent_arms_are_called_equal(results: Row) -> None:
    text = compared(results, comparison("d_test_acc", 0.002, 0.001, 0.003, equivalent=True))
    assert "for all practical purposes they are equal" in text
    assert "chance" not in text


def test_too_few_runs_for_an_interval(results: Row) -> None:
    rows = comparison("d_test_acc", 0.02, None, None), comparison("p_a_better", 1.0, None, None)
    assert compared(results, *rows).endswith("above sigmoid; there are too few runs to say how sure that is.")


def test_the_headline_says_no_more_than_the_claim_on_accuracy(results: Row) -> None:
    why = "Only 3 replicates per arm can be used for this, and 10 are needed: 7 more per arm."
    rows = comparison("d_test_acc", 0.18, 0.158, 0.205), comparison("p_a_better", 1.0, None, None, p_permutation=0.1)
    results["verdicts"] = [verdict("C5", "s", "not assessable", (0.18, 0.158, 0.205, 0.01), why)]
    assert compared(results, *rows).endswith(
        "18.0 percentage points above sigmoid; whether that is more than chance cannot be said: only 3 replicates per "
        "arm can be used for this, and 10 are needed: 7 more per arm."
    )
    results["verdicts"] = [{**results["verdicts"][0], "depth": 6}, {**results["verdicts"][0], "verdict": "supported"}]
    assert "the difference is more than chance" in compared(results, *rows)


def test_arms_that_were_not_compared(results: Row) -> None:
    assert compared(results).endswith("97 % on average; it was not compared with sigmoid.")


def test_where_runs_failed_the_difference_without_them_is_said_too(results: Row) -> None:
    (text,) = headline(results)
    assert "Without the runs that diverged or got stuck it is 1.4 (0.5 to 2.2)." in text


def test_the_best_is_held_against_the_reference_and_the_second_is_named(results: Row) -> None:
    cells = [cell(arm, test_acc_mean=mean) for arm, mean in (("relu", 0.9), ("tanh", 0.94), ("gelu", 0.95))]
    text = compared(results, comparison("d_test_acc", -0.05, -0.06, -0.04, b="gelu"), cells=cells)
    assert "gelu has the best test accuracy, 95 % on average (tanh comes next with 94 %), 5.0 percentage points" in text
    assert "above relu" in text


def test_comparisons_at_another_depth_or_rate_are_not_taken(results: Row) -> None:
    rows = [comparison("d_test_acc", 0.5, 0.4, 0.6, depth=6), comparison("d_test_acc", 0.5, 0.4, 0.6, phase="at_a_lr")]
    assert "not compared" in compared(results, *rows)


def test_each_depth_has_its_own_sentence(results: Row) -> None:
    results["cells"] = [cell("relu", depth=3), cell("sigmoid", depth=6)]
    assert [text.split(",")[0] for text in headline(results)] == ["At depth 3", "At depth 6"]
    assert headline(results)[0].endswith("; no other arm has one.")


def test_without_test_accuracy_there_is_no_best(results: Row) -> None:
    text = compared(results, cells=[cell("relu", test_acc_mean=None), cell("sigmoid", test_acc_mean=None)])
    assert text == "No replicate at depth 3 has a test accuracy, so no arm can be called the best."
