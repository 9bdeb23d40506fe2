"""A clock that jumps by ten years while a study runs, and is still off when it goes on."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import libfaketime
import pytest

from chaos.evidence import FOLDER, STUDY, Command, check_like, check_no_epoch_trained_twice, events_of, resume
from processes import count, kill_when

NEGATIVE_TIME = re.compile(r"(?<![\w.])-\d[\d.]* ?(s|seconds|m|min|minutes|h|hours|d|days)\b")


@pytest.fixture
def shift_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], object]:
    """Shifts the time of day of all processes that are started from now on, those of Ray too, while they run."""
    library = next(Path(libfaketime.__file__).parent.rglob("libfaketime.so.1"))
    offset = tmp_path / "offset"
    offset.write_text("+0d")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_CACHE_DURATION", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")
    return offset.write_text


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("by", "years"), [("+3650d", 10), ("-3650d", -10)])
def test_a_clock_ten_years_off_changes_nothing(
    by: str,
    years: int,
    actsweep: Command,
    undisturbed: Path,
    tmp_path: Path,
    shift_clock: Callable[[str], object],
) -> None:
    folder = tmp_path / FOLDER

    def jumped_and_went_on() -> bool:
        if count(folder, "finished") >= 3:
            shift_clock(by)
        return count(folder, "finished") >= 6

    kill_when(jumped_and_went_on, tmp_path, "sweep", *STUDY, "trainer.trial_timeout=200")
    check_sane(actsweep, folder)
    resume(actsweep, folder)
    check_like(folder, undisturbed)
    check_no_epoch_trained_twice(folder)
    check_sane(actsweep, folder)
    first, *_, last = events_of(folder)
    assert round((last.time - first.time) / (365 * 86400)) == years


def check_sane(actsweep: Command, folder: Path) -> None:
    """What the commands say of a study has no time in it that ran backwards."""
    trial = next((folder / "trials").iterdir()).name
    for words in (("status", folder), ("list", "--root", folder.parent), ("show", folder, trial)):
        done = actsweep(*map(str, words))
        assert done.returncode == 0, done.stderr
        assert not NEGATIVE_TIME.search(done.stdout), done.stdout
    (listed,) = json.loads(actsweep("list", "--json", "--root", str(folder.parent)).stdout)
    assert listed["damage"] is None
    assert datetime.fromisoformat(listed["time"]).timestamp() == pytest.approx(events_of(folder)[-1].time, abs=1)
    planned = actsweep("plan", "--json", *STUDY, cwd=folder.parent.parent)
    assert planned.returncode == 0, planned.stderr
    assert "-" not in re.sub(r"e-\d+|\"[^\"]*\"", "", planned.stdout)
