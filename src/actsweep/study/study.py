"""A study as lists of trials: three phases over the cells that its settings ask to compare."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from actsweep.errors import RecordsError, RequestError
from actsweep.plugins import MEASURES
from actsweep.settings import OPTIONS, StudyConfig, TrialConfig
from actsweep.study.cells import ARM, Cell, Design, cell_label, design, swept_paths
from actsweep.study.identity import PHASES, Phase, trial_id, trial_seed
from actsweep.study.space import Dimension, Value, combinations, middle, text

_COLUMNS = {"trial_id", "phase", "seed", "block", "epoch", "step", "wall", "status", "rung"}  # of a table of curves
_ONE_PER_STUDY = {"data.name", "data.root", "trainer.epochs", "trainer.eval_every"}


@dataclass(frozen=True)
class Trial:
    """One training run of a study.

    Attributes:
        trial_id: 12 hex digits; equal for two trials exactly when nothing that changes the result differs.
        phase: tune, replicate or cross.
        cell: what is compared.
        block: the tuning block, from 0.
        nuisance: the nuisance values by dotted path.
        config: everything that the training needs to know.
        spared: whether no scheduler may stop it.
    """

    trial_id: str
    phase: Phase
    cell: Cell
    block: int
    nuisance: Mapping[str, Value]
    config: TrialConfig
    spared: bool = False


class Study:
    """What a configuration asks for, checked as a whole.

    Args:
        config: the configuration.
        data: the fingerprint of the images, which trial ids depend on; "" where no trial is to be run.

    Raises:
        RequestError: a swept path does not exist, a value is not accepted there, a path has two roles, there are fewer
            than two arms, an unknown factor or reference, or more trials than `study.max_trials`.
    """

    def __init__(self, config: StudyConfig, data: str = "") -> None:
        self.config = config
        self._data = data
        asked = design(config.study)
        self.factor = asked.factor
        self.strata = tuple(asked.strata)
        self.arms = tuple(arm.label for arm in asked.arms)
        self.space = asked.space
        _refuse_many_cells(asked, config.study.max_trials)
        self.cells = asked.cells()
        self.reference = _reference(config.study.reference, self.arms)
        self._check_paths()
        self._check_size()  # before each cell's settings are made, of which there may be very many
        self._check_cells_differ()
        self.data_settings = {trial.data for trial in self.extreme_trials()}
        self._check_device()
        self._check_scheduler()
        self._check_grid()

    @cached_property
    def short_names(self) -> dict[str, str]:
        """Column name by swept path: the last word where no other column has that name, else the whole path.

        A plugin's own option, which may have any name, and a learning rate that is compared have the whole path.
        """
        scientific = [self.factor, *self.strata]
        paths = [*scientific, *(dimension.path for dimension in self.space)]
        whole = {path for path in paths if f".{OPTIONS}." in path or (path == "optimizer.lr" and path in scientific)}
        words = {path: path.rsplit(".", 1)[-1] for path in paths if path not in whole}
        taken = {word for word, times in Counter(words.values()).items() if times > 1} | _COLUMNS | {*MEASURES.added}
        return {path: path if words.get(path, path) in taken else words.get(path, path) for path in paths}

    @property
    def planned(self) -> dict[Phase, int]:
        """Trials by phase, at most: points that repeat a choice are run once; what widening may add is not in it."""
        blocks = self.config.study.tune.blocks
        of_cells = [self.planned_of(cell) for cell in self.cells]
        return {phase: blocks * sum(planned[phase] for planned in of_cells) for phase in PHASES}

    @property
    def unit(self) -> Literal["block", "seed"]:
        """What is independent within a cell: its tuning blocks, or where there is one, its replicates' seeds."""
        return "block" if self.config.study.tune.blocks > 1 else "seed"

    @property
    def units(self) -> int:
        """Units of each cell, at most: those that end without a result leave fewer."""
        return self.config.study.tune.blocks if self.unit == "block" else self.config.study.replicate.seeds

    def planned_of(self, cell: Cell) -> dict[Phase, int]:
        """Trials of a cell in one block by phase, at most."""
        replicate = self.config.study.replicate
        others = len(self.arms) - 1 if cell.values[self.factor] == self.reference else 1
        return {
            "tune": self.config.study.tune.points,
            "replicate": replicate.seeds,
            "cross": others * replicate.seeds if replicate.cross else 0,
        }

    @property
    def most_widened(self) -> int:
        """Tune trials that widening may add, at most."""
        sides = 2 * sum(dimension.distribution != "choice" for dimension in self.space)
        rounds = self.config.study.tune.widen * sides
        return rounds * self.growth_points * len(self.cells) * self.config.study.tune.blocks

    @property
    def growth_points(self) -> int:
        """New points of each cell and block in a stretch by which a range grew."""
        return max(1, self.config.study.tune.points // 2)

    def cell_at(self, values: Mapping[str, Value]) -> Cell:
        """The cell of some scientific values, as a record has them.

        Raises:
            RecordsError: the study has no such cell, as where `study.yaml` was changed by hand.
        """
        cell = self._cells_by_values.get(tuple(values.get(path) for path in (self.factor, *self.strata)))
        if cell is None:
            raise RecordsError(
                f"{self.config.run.name}: there are trials of {cell_label(values)} in its ledger, but study.yaml does "
                "not ask for them; put back what it said (to add to a study: actsweep sweep --extend)"
            )
        return cell

    def tune_trial(self, cell: Cell, block: int, nuisance: Mapping[str, Value], *, spared: bool = False) -> Trial:
        """A trial of the tune phase; all points of a block share one seed, so that only the point differs."""
        return replace(self._trial("tune", cell, block, nuisance, index=0), spared=spared)

    def seeded_trials(self, phase: Phase, cell: Cell, block: int, nuisance: Mapping[str, Value]) -> list[Trial]:
        """The trials of a block with the seeds of the phase replicate or cross, at chosen nuisance values."""
        seeds = range(self.config.study.replicate.seeds)
        return [self._trial(phase, cell, block, nuisance, index) for index in seeds]

    def spared(self, point: int) -> bool:
        """Whether no scheduler may stop the trials of point number `point`, the same in every cell."""
        return in_share(point, self.config.study.tune.spare)

    def trial_config(self, cell: Cell, nuisance: Mapping[str, Value], seed: int) -> TrialConfig:
        """All that a trial of a cell needs to know."""
        return self.config.trial({**cell.settings, **nuisance}, seed)

    def extreme_trials(self) -> Iterator[TrialConfig]:
        """Each cell with each nuisance setting at its extremes, the others in the middle.

        Raises:
            RequestError: one of these is not accepted.
        """
        for cell in self.cells:
            for dimension in cell.space:
                for value in dimension.extremes():
                    yield self.trial_config(cell, {**cell.middle, dimension.path: value}, seed=0)

    def accepts(self, dimension: Dimension, cell: Cell) -> bool:
        """Whether a cell's settings may take every value of a dimension."""
        try:
            for value in dimension.extremes():
                self.trial_config(cell, {**cell.middle, dimension.path: value}, seed=0)
        except RequestError:
            return False
        return True

    @cached_property
    def _cells_by_values(self) -> dict[tuple[Value, ...], Cell]:
        return {tuple(cell.values.values()): cell for cell in self.cells}

    def _trial(self, phase: Phase, cell: Cell, block: int, nuisance: Mapping[str, Value], index: int) -> Trial:
        config = self.trial_config(cell, nuisance, trial_seed(self.config.study.seed, phase, block, index))
        return Trial(trial_id(config, self._data), phase, cell, block, dict(nuisance), config)

    def _check_paths(self) -> None:
        for path in sorted(set(swept_paths(self.config.study)) & _ONE_PER_STUDY):
            raise RequestError(
                f"cannot sweep {path!r}: a study has one data set and one horizon; run one study for each"
            )
        if ARM in self.strata:
            raise RequestError(f"cannot sweep {ARM!r}: no such setting; study.arms names arms")

    def _check_cells_differ(self) -> None:
        nuisance = middle(self.space)
        option = "study.arms" if self.factor == ARM else "study.scientific"
        seen: dict[object, Cell] = {}
        for cell in self.cells:
            same = seen.setdefault(self.tune_trial(cell, 0, nuisance).trial_id, cell)
            if same is not cell:
                raise RequestError(f"{option}: {same.label} and {cell.label} are the same training; list one of them")
            for name in (cell.label, tuple(cell.values.values())):  # 1 equals true, where values are looked up
                same = seen.setdefault(name, cell)
                if same is not cell:
                    raise RequestError(
                        f"{option}: {list(same.values.values())} and {list(cell.values.values())} cannot be told apart "
                        "in tables: give one of them another value or name"
                    )

    def _check_device(self) -> None:
        if (
            any(trial.trainer.accelerator == "gpu" for trial in self.extreme_trials())
            and not self.config.cluster.resources.gpu
        ):
            raise RequestError(
                "trainer.accelerator=gpu needs cluster.resources.gpu above 0: each trial's share of a GPU"
            )

    def _check_scheduler(self) -> None:
        grace, epochs = self.config.scheduler.grace, self.config.trainer.epochs
        if grace is not None and grace >= epochs:
            raise RequestError(
                f"scheduler.grace={grace} leaves nothing to stop: it must be below trainer.epochs={epochs}"
            )

    def _check_grid(self) -> None:
        for cell in self.cells if self.config.search.name == "grid" else ():
            for own, general in zip(cell.space, self.space, strict=True):
                if len(own.values) != len(general.values):
                    raise RequestError(
                        f"study.arms.{cell.values[self.factor]}.{own.path}: with search=grid an arm's own choice needs "
                        "as many values as that under study.nuisance, so that all arms get the same number of points"
                    )
            choices = combinations(cell.space)
            if choices > self.config.study.tune.points:
                raise RequestError(
                    f"study.tune.points={self.config.study.tune.points}: a grid over all combinations of choices has "
                    f"{choices} points; ask for at least that many, or choose another search"
                )

    def _check_size(self) -> None:
        planned, widened = self.planned, self.most_widened
        total = sum(planned.values()) + widened
        if total > self.config.study.max_trials:
            parts = [f"{planned['tune']} to tune", f"{planned['replicate']} replicates"]
            parts += [f"{planned['cross']} crossed"] * bool(planned["cross"])
            parts += [f"{widened} where ranges widen"] * bool(widened)
            raise RequestError(
                f"study.max_trials={self.config.study.max_trials}, but the study asks for {total} trials "
                f"({', '.join(parts)}); raise the limit or ask for fewer"
            )


def in_share(number: int, share: float) -> bool:
    """Whether a number, counted from 0, is one of a share of all numbers that is spread evenly over them."""
    return math.floor((number + 1) * share + 1e-9) > math.floor(number * share + 1e-9)


def _refuse_many_cells(asked: Design, most: int) -> None:
    cells = len(asked.arms) * math.prod(map(len, asked.strata.values()))
    if cells > most:
        raise RequestError(
            f"study.max_trials={most}, but the study compares {cells} cells; raise the limit or ask for fewer"
        )


def _reference(asked: Value, arms: Sequence[Value]) -> Value:
    if asked is None:
        return "relu" if "relu" in arms else arms[0]
    for arm in arms:
        if text(arm) == text(asked):
            return arm
    raise RequestError(f"study.reference: {asked!r} is not compared; the arms are {', '.join(map(text, arms))}")
