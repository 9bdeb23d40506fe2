"""How far one study is."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from actsweep.events import StudyRecord
from actsweep.records import StudyFolder, is_held, open_study
from actsweep.report.summary import CellState, board_of
from actsweep.study import Study

State = Literal["finished", "running", "interrupted"]


@dataclass(frozen=True)
class StudyStatus:
    """One study at one moment.

    Attributes:
        path: its folder.
        study: what it asks for.
        record: what has happened.
        time: when something last did, in seconds since the epoch; None where nothing has.
        state: finished; running, where a process holds its ledger; else interrupted.
        problem: what is wrong with study.yaml, where the ledger had to stand in for it; else empty.
    """

    path: Path
    study: Study
    record: StudyRecord
    time: float | None
    state: State
    problem: str = ""

    @cached_property
    def cells(self) -> tuple[CellState, ...]:
        """Where each cell stands."""
        return board_of(self.study, self.record).cells()

    def sum(self, name: str) -> int:
        """A count (total, done, running, failed or waiting) over all cells."""
        return sum(cell.sum(name) for cell in self.cells)


def status_of(path: Path) -> StudyStatus:
    """How far the study in a folder is.

    Raises:
        RecordsError: the folder holds no study, or a damaged one.
    """
    folder = StudyFolder(path)
    held = is_held(folder.ledger)  # asked first: a study that ends meanwhile is finished, never interrupted
    opened = open_study(folder)
    record, events = opened.record, opened.content.events
    state: State = "running" if held else "finished" if record.finished else "interrupted"
    time = events[-1].time if events else None
    return StudyStatus(path, Study(opened.config), record, time, state, opened.problem)
