"""Where a study stands, per cell: the counts that the progress display and the status table share."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actsweep.events import StudyRecord, TrialRecord, TrialStatus, cell_key, place_of
from actsweep.plural import count
from actsweep.report.wording import DASH, clean, percent
from actsweep.study import PHASES, Cell, Phase, Study
from actsweep.study.space import Value

_COUNTED: Mapping[TrialStatus, str] = {
    "completed": "done",
    "diverged": "done",
    "stopped": "done",
    "running": "running",
    "failed": "failed",
}
_Place = tuple[str, int, Phase]


@dataclass(frozen=True)
class PhaseCount:
    """Trials of one phase: `total` are planned; what is neither done nor running nor failed waits."""

    total: int
    done: int
    running: int
    failed: int

    @property
    def waiting(self) -> int:
        """Trials that are still to be started, lost ones that get another attempt among them."""
        return self.total - self.done - self.running - self.failed


@dataclass(frozen=True)
class CellState:
    """Where one cell stands.

    Attributes:
        label: the cell's name.
        phases: counts by phase.
        best: the best validation accuracy so far of a trial that has not diverged, None before the first.
    """

    label: str
    phases: Mapping[Phase, PhaseCount]
    best: float | None

    def sum(self, name: str) -> int:
        """A count (total, done, running, failed or waiting) over the phases."""
        return sum(getattr(phase, name) for phase in self.phases.values())


class Board:
    """The state of every cell of a study, kept up to date trial by trial.

    Args:
        study: the study.
        record: what has happened, kept up to date by its owner; the trials are those that were `put`.
    """

    def __init__(self, study: Study, record: StudyRecord) -> None:
        self._study = study
        self._record = record
        self._trials: dict[str, tuple[_Place, str]] = {}
        self._counts: defaultdict[_Place, Counter[str]] = defaultdict(Counter)
        self._best: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def put(self, trial: TrialRecord) -> None:
        """Take in what is now known of a trial."""
        start = trial.started
        label = self.label(start.cell)
        place = (label, start.block, start.phase)
        if start.trial_id in self._trials:
            before, status = self._trials[start.trial_id]
            self._counts[before][status] -= 1
        status = _COUNTED.get(trial.status, "waiting")
        self._trials[start.trial_id] = place, status
        self._counts[place][status] += 1
        self._best[label][start.trial_id] = best_accuracy(trial)

    def label(self, values: Mapping[str, Value]) -> str:
        """The name of the cell that a trial belongs to, from its scientific values."""
        return self._study.cell_at(values).label

    def cells(self) -> tuple[CellState, ...]:
        """The state of each cell, in the study's order; nothing waits in a finished study."""
        return tuple(self._state(cell) for cell in self._study.cells)

    def _state(self, cell: Cell) -> CellState:
        best = max(self._best[cell.label].values(), default=-math.inf)
        return CellState(
            cell.label,
            {phase: self._phase(cell, phase) for phase in PHASES},
            best if math.isfinite(best) else None,
        )

    def _phase(self, cell: Cell, phase: Phase) -> PhaseCount:
        blocks = range(self._study.config.study.tune.blocks)
        counts: Counter[str] = sum((self._counts[cell.label, block, phase] for block in blocks), Counter())
        total = sum(self._planned(cell, block, phase) for block in blocks)
        return PhaseCount(total, counts["done"], counts["running"], counts["failed"])

    def _planned(self, cell: Cell, block: int, phase: Phase) -> int:
        """How many trials a block has: what is asked for, until it is known to be settled with fewer.

        Points that repeat a choice run once, so that a block may be tuned with fewer trials than points.
        """
        seen = self._counts[cell.label, block, phase].total()
        if self._record.finished:
            return seen
        planned = self._study.planned_of(cell)[phase]
        if phase == "tune":
            if (cell_key(cell.values), block) in self._record.settled:
                return seen
            planned += len(self._record.widened) * self._study.growth_points
        return max(seen, planned)


def cells_as_texts(study: Study, cells: Sequence[CellState], running: str) -> list[tuple[str, ...]]:
    """Per cell the trials done of those planned, by phase, and how the others stand, below a row of headings.

    Args:
        study: the study.
        cells: its cells, where each stands.
        running: what trials are that have begun and not ended.
    """
    phases = [phase for phase, trials in study.planned.items() if trials]
    named = "/".join(study.short_names[path] for path in (study.factor, *study.strata))
    rows: list[tuple[str, ...]] = [(clean(named), *phases, running, "waiting", "failed", "best val acc")]
    for cell in cells:
        done = [f"{cell.phases[phase].done}/{cell.phases[phase].total}" for phase in phases]
        others = [str(cell.sum(name) or DASH) for name in ("running", "waiting", "failed")]
        rows.append((clean(cell.label), *done, *others, percent(cell.best)))
    return rows


def trials_done(done: int, total: int, failed: int) -> str:
    """How many trials are done and how many failed."""
    said = f"{done} of {count(total, 'trial')} done"
    return f"{said}, {failed} failed" if failed else said


def board_of(study: Study, record: StudyRecord) -> Board:
    """The board of a study whose record is at hand, without trials at points that are no longer chosen."""
    board = Board(study, record)
    for trial in record.trials.values():
        if place_of(trial.started) not in record.chosen or record.counts(trial):
            board.put(trial)
    return board


def best_accuracy(trial: TrialRecord) -> float:
    """A trial's best validation accuracy; -inf where it has none, or diverged and so counts as chance."""
    if trial.status == "diverged":
        return -math.inf
    values = (row.get("val_acc") for row in trial.rows)
    return max((value for value in values if value is not None and math.isfinite(value)), default=-math.inf)
