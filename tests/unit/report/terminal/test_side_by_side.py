"""Studies side by side: the settings and the verdicts in which they differ."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
from rich.console import Console

from actsweep.report.terminal.side_by_side import Comparison, compare_studies, comparison_tables
from actsweep.settings import StudyConfig
from simulate import Family, Truth, analyze, draw

Compose = Callable[..., StudyConfig]
RELU = Truth()
C5 = ("C5", "the test accuracy of relu is better than that of sigmoid", "depth 3")


def results(test_acc: float, depths: tuple[int, ...] = (3,), **cross: Any) -> dict[str, Any]:
    family = Family({"relu": RELU, "sigmoid": replace(RELU, test_acc=test_acc)}, depths=depths)
    trials = draw(family, np.random.default_rng(0))
    crossed = [replace(t, phase="cross", trial_id=f"cross {t.trial_id}") for t in trials] if cross else []
    return analyze([*trials, *crossed])


def shown(comparison: Comparison) -> str:
    console = Console(width=200, file=StringIO())
    console.print(comparison_tables(comparison))
    return console.file.getvalue()


def test_only_settings_that_differ_are_listed(compose: Compose) -> None:
    configs = [compose("experiment=smoke"), compose("experiment=smoke", "model.width=8")]
    found = compare_studies(["one", "two"], configs, [results(0.8), results(0.8)])
    assert dict(found.settings) == {"model.width": ("4", "8")}
    assert found.differing == frozenset()


def test_verdicts_that_differ_are_marked_and_carry_their_estimates(compose: Compose) -> None:
    config = compose("experiment=smoke")
    found = compare_studies(["one", "two"], [config, config], [results(0.8), results(0.9)])
    assert found.differing == {C5}
    one, two = found.verdicts[C5]
    assert one.startswith("supported 1")
    assert two.startswith(("refuted", "undecided"))
    text = shown(found)
    assert "The studies have the same settings." in text
    assert [line.split()[:2] for line in text.splitlines() if " * " in line and line.startswith("C")] == [["C5", "*"]]


def test_a_claim_that_one_study_did_not_ask_has_a_dash_there(compose: Compose) -> None:
    config = compose("experiment=smoke")
    found = compare_studies(["one", "two"], [config, config], [results(0.8), results(0.8, depths=(3, 5))])
    deeper = (*C5[:2], "depth 5")
    assert found.verdicts[deeper][0] == "-"
    assert deeper in found.differing
    assert C5 not in found.differing


def test_comparisons_at_a_crossed_learning_rate_are_said_to_be(compose: Compose) -> None:
    config = compose("experiment=smoke")
    found = compare_studies(["one"], [config], [results(0.8, cross=True)])
    places = {place for claim, _, place in found.verdicts if claim == "C5"}
    assert places == {
        "depth 3",
        "depth 3, both at the learning rate of relu",
        "depth 3, both at the learning rate of sigmoid",
    }
