"""What a ledger leads to."""

import pytest

from actsweep.errors import RecordsError
from actsweep.events import Evaluation
from actsweep.records import LedgerContent


def test_a_line_whose_beginning_is_missing_is_noticed() -> None:
    with pytest.raises(RecordsError, match="line 1 is of trial 'abc', which has not begun"):
        LedgerContent((Evaluation("abc", 1, {"epoch": 0}, 0.0),), 0).fold()
