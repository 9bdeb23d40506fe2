"""The file of a run: whole, cut off or damaged."""

from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.tracker.transaction_log import RunFile
from tracked import CLOSE_SECONDS, completed, evaluation, make_study, open_tracker, study_started, three_trials

# wandb never waits for a service process that died: its handle says so when it is collected.
pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:subprocess .* still running:ResourceWarning")]


@pytest.fixture
def run_file(tmp_path: Path) -> RunFile:
    """The file of a run with three rows, one of which is longer than a block of the file."""
    study, folder = make_study(tmp_path)
    trial = three_trials(study)[0]
    long = evaluation(trial, 3, note="x" * 100_000)
    subscriber = open_tracker(study, folder)
    for event in [study_started(), *completed(trial)[:3], long, completed(trial)[-1]]:
        subscriber(event)
    assert subscriber.close(CLOSE_SECONDS).problems == ()
    (path,) = folder.path.glob("wandb/*/*.wandb")
    return RunFile(path, rows=3)


def test_file_that_lacks_rows_or_its_end_is_not_whole(run_file: RunFile) -> None:
    whole = run_file.path.read_bytes()
    with pytest.raises(RecordsError, match="3 of 4 rows are in"):
        RunFile(run_file.path, rows=4).check()
    run_file.path.write_bytes(whole[:-10])
    with pytest.raises(RecordsError, match=r"3 of 3 rows .*, without its end"):
        run_file.check()
    run_file.path.write_bytes(whole[:50_000])
    with pytest.raises(RecordsError, match=r"2 of 3 rows .*, without its end"):
        run_file.check()


def test_file_that_is_damaged_empty_or_gone_is_not_whole(run_file: RunFile) -> None:
    whole = run_file.path.read_bytes()
    run_file.path.write_bytes(whole[:50_000] + b"y" + whole[50_001:])
    with pytest.raises(RecordsError, match="checksum does not fit"):
        run_file.check()
    run_file.path.write_bytes(b"")
    with pytest.raises(RecordsError, match="holds no run"):
        run_file.check()
    run_file.path.unlink()
    with pytest.raises(RecordsError, match="cannot be read"):
        run_file.check()
