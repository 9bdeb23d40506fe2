"""A study as lists of trials: cells from the scientific settings, two phases, and the identity of each trial."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.space import Dimension, Value, dimensions, text, value_lists

Phase = Literal["tune", "replicate"]
PHASES: tuple[Phase, ...] = ("tune", "replicate")
_NOT_OF_THE_RESULT = {"data": {"root"}}
_COLUMNS = {"trial_id", "phase", "seed", "block", "epoch", "step", "wall", "status"}  # of every table of curves
_ONE_PER_STUDY = {"data.name", "data.root", "trainer.epochs", "trainer.eval_every"}


@dataclass(frozen=True)
class Cell:
    """One combination of scientific values.

    Attributes:
        values: value by dotted path, the compared factor first.
        label: the values joined by a slash, such as `relu/3`.
    """

    values: Mapping[str, Value]

    @property
    def label(self) -> str:
        """The cell's name in tables and trackers."""
        return cell_label(self.values)

    def __hash__(self) -> int:
        return hash(self.label)


@dataclass(frozen=True)
class Trial:
    """One training run of a study.

    Attributes:
        trial_id: 12 hex digits; equal for two trials exactly when nothing that changes the result differs.
        phase: tune or replicate.
        cell: the scientific values.
        block: the tuning block, from 0.
        nuisance: the nuisance values by dotted path.
        config: everything that the training needs to know.
    """

    trial_id: str
    phase: Phase
    cell: Cell
    block: int
    nuisance: Mapping[str, Value]
    config: TrialConfig


class Study:
    """What a configuration asks for, checked as a whole.

    Raises:
        RequestError: a swept path does not exist, a value is not accepted there, a path has both roles, there are fewer
            than two arms, an unknown factor or reference, or more trials than `study.max_trials`.
    """

    def __init__(self, config: StudyConfig) -> None:
        self.config = config
        self.space: tuple[Dimension, ...] = dimensions(config.study.nuisance, "study.nuisance")
        lists = value_lists(config.study.scientific, "study.scientific")
        self._check_roles(lists)
        self.factor = _factor(config.study.factor, lists)
        self.strata = tuple(path for path in lists if path != self.factor)
        self.arms = lists[self.factor]
        ordered = {path: lists[path] for path in (self.factor, *self.strata)}
        self.cells = tuple(
            Cell(dict(zip(ordered, values, strict=True))) for values in itertools.product(*ordered.values())
        )
        self.reference = _reference(config.study.reference, self.arms)
        self._check_cells_differ()
        self.data_settings = {trial.data for trial in self.extreme_trials()}
        self._check_device()
        self._check_size()

    @cached_property
    def short_names(self) -> dict[str, str]:
        """Column name by swept path: the last word where no other column has that name, else the whole path."""
        paths = [self.factor, *self.strata, *(dimension.path for dimension in self.space)]
        words = [path.rsplit(".", 1)[-1] for path in paths]
        taken = {word for word in words if words.count(word) > 1} | _COLUMNS
        return {path: path if word in taken else word for path, word in zip(paths, words, strict=True)}

    @property
    def n_tune(self) -> int:
        """Trials of the tune phase, at most (points that repeat a choice are run once)."""
        return len(self.cells) * self.config.study.tune.blocks * self.config.study.tune.points

    @property
    def n_replicate(self) -> int:
        """Trials of the replicate phase."""
        return len(self.cells) * self.config.study.tune.blocks * self.config.study.replicate.seeds

    def tune_trial(self, cell: Cell, block: int, nuisance: Mapping[str, Value]) -> Trial:
        """A trial of the tune phase; all points of a block share one seed, so that only the point differs."""
        return self._trial("tune", cell, block, nuisance, index=0)

    def replicate_trials(self, cell: Cell, block: int, nuisance: Mapping[str, Value]) -> list[Trial]:
        """The replicates of a block at its best nuisance values, with fresh seeds."""
        seeds = range(self.config.study.replicate.seeds)
        return [self._trial("replicate", cell, block, nuisance, index) for index in seeds]

    def _trial(self, phase: Phase, cell: Cell, block: int, nuisance: Mapping[str, Value], index: int) -> Trial:
        seed = trial_seed(self.config.study.seed, phase, block, index)
        config = self.config.trial({**cell.values, **nuisance}, seed)
        return Trial(trial_id(config), phase, cell, block, dict(nuisance), config)

    def _check_roles(self, lists: Mapping[str, Sequence[Value]]) -> None:
        if not lists:
            raise RequestError("study.scientific: names no setting; an example: {model: {activation: [relu, sigmoid]}}")
        if not self.space:
            raise RequestError(
                "study.nuisance: names no setting to tune, so no arm would get its fair chance; "
                "an example: {optimizer: {lr: {distribution: log_uniform, min: 1e-4, max: 1e-1}}}"
            )
        for path in {*lists, *(dimension.path for dimension in self.space)} & _ONE_PER_STUDY:
            raise RequestError(
                f"cannot sweep {path!r}: a study has one data set and one horizon; run one study for each"
            )
        for dimension in self.space:
            if dimension.path in lists:
                raise RequestError(
                    f"{dimension.path} is under study.scientific and under study.nuisance: choose one role"
                )

    def extreme_trials(self) -> Iterator[TrialConfig]:
        """Each cell with each nuisance setting at its extremes, the others in the middle.

        Raises:
            RequestError: one of these is not accepted.
        """
        middle = {dimension.path: dimension.at(0.5) for dimension in self.space}
        for cell in self.cells:
            for dimension in self.space:
                for value in dimension.extremes():
                    yield self.config.trial({**cell.values, **middle, dimension.path: value}, seed=0)

    def _check_cells_differ(self) -> None:
        nuisance = {dimension.path: dimension.at(0.5) for dimension in self.space}
        seen: dict[str, Cell] = {}
        for cell in self.cells:
            same = seen.setdefault(self.tune_trial(cell, 0, nuisance).trial_id, cell)
            if same is not cell:
                raise RequestError(
                    f"study.scientific: {same.label} and {cell.label} are the same training; list one of them"
                )

    def _check_device(self) -> None:
        if (
            any(trial.trainer.accelerator == "gpu" for trial in self.extreme_trials())
            and not self.config.cluster.resources.gpu
        ):
            raise RequestError(
                "trainer.accelerator=gpu needs cluster.resources.gpu above 0: each trial's share of a GPU"
            )

    def _check_size(self) -> None:
        total = self.n_tune + self.n_replicate
        if total > self.config.study.max_trials:
            raise RequestError(
                f"study.max_trials={self.config.study.max_trials}, but the study asks for {total} trials "
                f"({self.n_tune} to tune, {self.n_replicate} replicates); raise the limit or ask for fewer"
            )


def cell_label(values: Mapping[str, Value]) -> str:
    """Scientific values, the compared factor first, as one word such as `relu/3`."""
    return "/".join(text(value) for value in values.values())


def trial_seed(study_seed: int, phase: Phase, block: int, index: int) -> int:
    """The seed of a trial: unique per block, phase and index, and the same in every cell (common random numbers)."""
    sequence = np.random.SeedSequence(study_seed, spawn_key=(PHASES.index(phase), block, index))
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)


def trial_id(config: TrialConfig) -> str:
    """12 hex digits of a hash of all that changes a trial's result, and of nothing else."""
    tree = config.model_dump(mode="json", exclude=_NOT_OF_THE_RESULT)
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:12]


def changed_settings(before: StudyConfig, now: StudyConfig) -> list[tuple[str, Any, Any]]:
    """The settings that results depend on and that differ, as (dotted path, value before, value now)."""
    old, new = _result_relevant(before), _result_relevant(now)
    return [(path, old.get(path), new.get(path)) for path in sorted({*old, *new}) if old.get(path) != new.get(path)]


def all_settings(config: StudyConfig) -> dict[str, Any]:
    """Every setting by its dotted path."""
    return dict(_flat(config.model_dump(mode="json")))


def _result_relevant(config: StudyConfig) -> dict[str, Any]:
    groups = {"study", "search", "scheduler", "model", "optimizer", "data", "trainer"}
    exclude = {**_NOT_OF_THE_RESULT, "study": {"max_trials"}}
    return dict(_flat(config.model_dump(mode="json", include=groups, exclude=exclude)))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, node in tree.items():
        if isinstance(node, Mapping):
            yield from _flat(node, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", node


def _factor(asked: str | None, lists: Mapping[str, Sequence[Value]]) -> str:
    factor = asked or next(iter(lists))
    if factor not in lists:
        raise RequestError(f"study.factor: {factor!r} is not swept; the scientific settings are {', '.join(lists)}")
    if len(lists[factor]) < 2:
        raise RequestError(
            f"study.scientific.{factor}: needs at least two values to compare, not {list(lists[factor])}"
        )
    return factor


def _reference(asked: Value, arms: Sequence[Value]) -> Value:
    if asked is None:
        return "relu" if "relu" in arms else arms[0]
    for arm in arms:
        if text(arm) == text(asked):
            return arm
    raise RequestError(f"study.reference: {asked!r} is not compared; the arms are {', '.join(map(text, arms))}")
