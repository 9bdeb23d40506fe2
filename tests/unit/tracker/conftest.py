"""What a small study came to."""

from pathlib import Path

import pytest

from actsweep.events import StudyRecord
from actsweep.tables import read_table
from actsweep.tables.analyze import analyze_table, options_for
from actsweep.tracker import StudyOutcome

CURVES = Path(__file__).parents[2] / "golden" / "curves" / "small.csv"


@pytest.fixture(scope="session")
def outcome() -> StudyOutcome:
    table = read_table(CURVES)
    results, trials = analyze_table(table, options_for("small", 10, {}))
    return StudyOutcome(StudyRecord(), results, trials, Path("report.html"))
