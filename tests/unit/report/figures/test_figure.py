import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actsweep.analysis import TrialCurve
from actsweep.report.figures import figures
from actsweep.report.figures.figure import plain, spread, thinned_text

PAGE = Path(__file__).parents[4] / "docs" / "report.md"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.123456789, 0.12346), (123456.789, 123460), (-0.00001234567, -0.000012346), (0.0, 0.0), (1e-300, 1e-300)],
)
def test_numbers_have_as_many_digits_as_can_be_seen(value: float, shown: float) -> None:
    assert plain([value]) == pytest.approx([shown], rel=1e-12)


def test_what_is_not_finite_is_missing() -> None:
    assert plain([math.nan, math.inf, -math.inf, 1.0]) == [None, None, None, 1.0]
    assert plain(np.array([5e-324, 1.7e308])) == pytest.approx([5e-324, 1.7e308])


@pytest.mark.parametrize(("number", "most"), [(1, 1), (5, 10), (10, 10), (1000, 40), (3, 2)])
def test_of_many_things_both_ends_are_kept(number: int, most: int) -> None:
    kept = spread(number, most)
    assert len(kept) == min(number, most)
    assert (kept[0], kept[-1]) == (0, number - 1)


def test_nothing_is_said_where_nothing_is_left_out() -> None:
    assert thinned_text([3, 40], 40, "the lines") == ""
    assert thinned_text([], 40, "the lines") == ""
    assert "40" in thinned_text([41], 40, "the lines")


def test_the_page_on_the_report_explains_each_plot_in_its_order(
    results: dict[str, Any], trials: list[TrialCurve]
) -> None:
    rows = PAGE.read_text().partition("| plot |")[2].partition("\n\n")[0]
    explained = re.findall(r"^\| ([^|]+) \|", rows, re.MULTILINE)
    assert explained == [figure.title for figure in figures(results, trials)]
