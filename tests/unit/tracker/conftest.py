"""What a small study came to."""

from pathlib import Path

import pytest

from actsweep import analyze
from actsweep.events import StudyRecord
from actsweep.tracker import StudyOutcome

CURVES = Path(__file__).parents[2] / "golden" / "curves" / "small.csv"


@pytest.fixture(scope="session")
def outcome() -> StudyOutcome:
    results = analyze(CURVES)
    curves = [
        {
            **{"trial_id": row["trial_id"], "phase": row["phase"], "arm": row["activation"]},
            **{"cell": f"{row['activation']}/3", "epoch": [0, 1], "val_acc": [0.1, 0.2], "train_acc": [0.1, 0.3]},
        }
        for row in results["trials"]
    ]
    return StudyOutcome(StudyRecord(), results, curves, Path("report.html"))
