"""The tune phase: one proposer per cell and block with equal budgets, and ranges that may grow."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from actsweep.events import PointChosen, RangeWidened
from actsweep.search.points import block_positions, growth_positions, in_new_stretch, points_at
from actsweep.search.proposer import Proposer
from actsweep.study import Cell, Study, Trial, trial_seed
from actsweep.study.space import Side, Value, widened

Announcement = PointChosen | RangeWidened
Nuisance = dict[str, Value]


@dataclass(frozen=True)
class TunePoint:
    """A trial of the tune phase, and its number among the points of its cell and block."""

    trial: Trial
    number: int


@dataclass(frozen=True)
class Choice:
    """The best nuisance values of a cell in a block."""

    cell: Cell
    block: int
    nuisance: Nuisance


class Tuning:
    """Asks the proposers in turn, and says when a block of a cell is settled.

    Args:
        study: the study.
        announce: told of each range that grows and each point that is chosen, also of those that are already recorded.
    """

    def __init__(self, study: Study, announce: Callable[[Announcement], None]) -> None:
        self._study = study
        self._announce = announce
        self._spaces = {cell.label: cell.space for cell in study.cells}
        self._rounds_left = study.config.study.tune.widen
        self._growths = 0
        self._proposers = {
            (block, cell): self._proposer(cell, block)
            for block in range(study.config.study.tune.blocks)
            for cell in study.cells
        }

    @property
    def ready(self) -> int:
        """How many trials could be asked for now, whatever comes of those that run."""
        return sum(proposer.ready for proposer in self._proposers.values())

    def ask(self) -> TunePoint | None:
        """The next trial, of the proposer that was asked least; None while none can say."""
        ready = (item for item in self._proposers.items() if item[1].ready)
        least = min(ready, key=lambda item: item[1].asked, default=None)
        if least is None:
            return None
        (block, cell), proposer = least
        proposal = proposer.ask()
        assert proposal is not None
        number, nuisance = proposal
        return TunePoint(self._study.tune_trial(cell, block, nuisance, spared=self._study.spared(number)), number)

    def tell(self, point: TunePoint, best_val_acc: float | None) -> list[Choice]:
        """Take in what came of a trial, and return what is settled by it."""
        key = point.trial.block, point.trial.cell
        proposer = self._proposers[key]
        proposer.tell(point.number, best_val_acc)
        if not proposer.settled:
            return []
        if not self._study.config.study.tune.widen:
            return list(self._choices([key]))
        if not all(proposer.settled for proposer in self._proposers.values()) or self._widened():
            return []
        return list(self._choices(list(self._proposers)))

    def _proposer(self, cell: Cell, block: int) -> Proposer:
        points = points_at(cell.space, block_positions(self._study, block))
        learns = self._study.config.search.name == "tpe"
        learned = max(0, self._study.config.study.tune.points - len(points)) if learns else 0
        return Proposer(cell.space, points, learned, trial_seed(self._study.config.study.seed, "tune", block, 1))

    def _choices(self, keys: list[tuple[int, Cell]]) -> Iterator[Choice]:
        for block, cell in keys:
            best = self._proposers[block, cell].best()
            if best is not None:
                self._announce(PointChosen(cell.values, block, best, time.time()))
                yield Choice(cell, block, best)

    def _widened(self) -> bool:
        """Let the ranges grow at whose edge a best value lies, once for all cells; whether any did."""
        if not self._rounds_left:
            return False
        self._rounds_left -= 1
        grown = [growth for growth in self._edges() if self._grow(*growth)]
        return bool(grown)

    def _edges(self) -> list[tuple[int, Side]]:
        """The dimensions, by number, and sides at which the best value of any cell and block lies."""
        edges: set[tuple[int, Side]] = set()
        for (_, cell), proposer in self._proposers.items():
            if (best := proposer.best()) is None:
                continue
            for column, dimension in enumerate(self._spaces[cell.label]):
                if (side := dimension.edge(best[dimension.path])) is not None:
                    edges.add((column, side))
        return sorted(edges)

    def _grow(self, column: int, side: Side) -> bool:
        before = dict(self._spaces)
        path = self._study.space[column].path
        after = {label: widened(space, [(path, side)]) for label, space in before.items()}
        if not all(self._study.accepts(after[cell.label][column], cell) for cell in self._study.cells):
            return False
        self._spaces = after
        self._announce(RangeWidened(path, side, time.time()))
        for (block, cell), proposer in self._proposers.items():
            old, new = before[cell.label], after[cell.label]
            positions = growth_positions(self._study, block, self._growths)
            stretch = in_new_stretch(positions, old[column], new[column], column, side)
            proposer.add(new, points_at(new, stretch))
        self._growths += 1
        return True
