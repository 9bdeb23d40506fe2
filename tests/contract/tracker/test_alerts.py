"""What people are told by W&B's alerts."""

import time
from pathlib import Path

import pytest

from actsweep.events import (
    StudyResumed,
)
from actsweep.records import StudyFolder
from actsweep.tracker import subscriber
from actsweep.tracker.transaction_log import records
from tracked import CLOSE_SECONDS, make_study, open_tracker, study_started, wait_until

# wandb never waits for a service process that died: its handle says so when it is collected.
pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning")]


def alerts(folder: StudyFolder) -> list[tuple[str, str]]:
    found = [record for path in folder.path.glob("wandb/*study*/*.wandb") for record in records(path)]
    return [(one.alert.title, one.alert.text) for one in found if one.WhichOneof("record_type") == "alert"]


def test_a_study_that_goes_quiet_is_told_once_and_again_after_the_next_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(subscriber, "STALL_PAUSES", 0)
    study, folder = make_study(tmp_path, "tracker.alert=true")
    tracked = open_tracker(study, folder)
    tracked(study_started())
    wait_until(lambda: len(alerts(folder)) == 1)
    time.sleep(1)
    tracked(StudyResumed(0, 0.0))
    wait_until(lambda: len(alerts(folder)) == 2)
    assert tracked.close(CLOSE_SECONDS).problems == ()
    assert {title for title, _ in alerts(folder)} == {"actsweep: smoke has stalled"}


def test_a_study_that_fails_is_told_with_the_reason_where_that_is_asked_for(tmp_path: Path) -> None:
    for name, told in (("true", [("actsweep: smoke has failed", "no trial has a result")]), ("false", [])):
        study, folder = make_study(tmp_path / name, f"tracker.alert={name}")
        tracked = open_tracker(study, folder)
        tracked(study_started())
        tracked.fail("no trial has a result")
        assert tracked.close(CLOSE_SECONDS).problems == ()
        assert alerts(folder) == told
