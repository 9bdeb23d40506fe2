import pytest

from actsweep.compare.comparisons import BOUNDS
from actsweep.compare.wording import APPROXIMATION
from actsweep.report.rows import verdict_text
from rows_of_results import verdict


@pytest.mark.parametrize("bound", BOUNDS.values())
def test_a_bound_is_said_as_in_the_reasons_of_verdicts(bound: str) -> None:
    row = verdict("C1a", "", "supported", (2.5, 2.2, 2.8, 2.0), "", bound=bound, estimate_kind="ratio")
    assert verdict_text(row).estimate == f"{APPROXIMATION.get(bound, '')}2.5 x"
