"""Two commands that run the same study, started in the same instant."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from actsweep.errors import RecordsError
from actsweep.records import Ledger, LedgerContent, read_ledger
from actsweep.report.terminal.console import Screen
from actsweep.run import sweep
from actsweep.settings import StudyConfig
from chaos.evidence import FOLDER
from processes import start

WORDS = ("experiment=smoke", "tracker=none")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_two_drivers_one_works_and_the_other_is_refused(tmp_path: Path) -> None:
    for turn in range(5):
        place = tmp_path / str(turn)
        place.mkdir()
        both = [start(place, "sweep", *WORDS) for _ in range(2)]
        ended = {one.pid: (*one.communicate(timeout=200), one.returncode) for one in both}
        (works,) = [pid for pid, (_, _, code) in ended.items() if code == 0]
        ((_, errors, code),) = [outcome for pid, outcome in ended.items() if pid != works]
        assert code == 2
        assert errors.count("\n") == 1
        assert f"{FOLDER} is in use by another actsweep (pid {works} on " in errors
        record = read_ledger(place / FOLDER / "ledger.jsonl").fold()
        assert record.finished
        assert {trial.started.attempt for trial in record.trials.values()} == {1}
        assert len(record.trials) == 8


def test_a_refused_driver_that_also_made_the_folder_leaves_it_to_the_other(
    compose: Callable[..., StudyConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other driver takes the lock in the moment between the folder's making and ours."""
    with ExitStack() as stack:

        def too_late(path: Path, known: LedgerContent | None) -> Ledger:
            stack.enter_context(Ledger(path))
            return Ledger(path, known)

        monkeypatch.setattr(sweep, "Ledger", too_late)
        with pytest.raises(RecordsError, match="in use by another actsweep"):
            sweep.run_sweep(compose(*WORDS, f"run.root={tmp_path}/outputs"), Screen())
        assert (tmp_path / FOLDER / "ledger.jsonl").exists()
